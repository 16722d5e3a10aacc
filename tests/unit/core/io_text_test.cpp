#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "core/io/message_text.h"
#include "core/io/number_text.h"
#include "core/io/text_source.h"
#include "core/random.h"

using namespace wan;
using namespace wan::io;

TEST_CASE("a number is the whole token and finite, or nothing", "[io]") {
  CHECK(parse_number("12.5") == 12.5);
  CHECK(parse_number("-1e3") == -1000.0);
  CHECK(parse_number("1e+3", 3) == 1e6);
  CHECK(parse_number("1E3", 6) == 1e9);
  CHECK_FALSE(std::signbit(parse_number("-0").value()));
  for (const std::string_view token :
       {"",   " ",   "1 ",  " 1",  "+1",   "0x10",     "1,5",   "1.5.2",         "1e", "1e+", "1e+-3", "1e5e6",
        "e5", "nan", "NaN", "inf", "-inf", "infinity", "1e999", "1e99999999999", "-",  "."}) {
    INFO(token);
    CHECK_FALSE(parse_number(token).has_value());
    CHECK_FALSE(parse_number(token, 6).has_value());
  }
  CHECK(parse_count("42") == 42U);
  for (const std::string_view token : {"", "-1", "+1", "1.0", "99999999999999999999", "4 "}) {
    CHECK_FALSE(parse_count(token).has_value());
  }
}

TEST_CASE("numbers are written plainly and read back to the last bit, with a shift and without", "[io]") {
  CHECK(format_number(2.5e6, 6) == "2.5");
  CHECK(format_number(1e10, 3) == "10000000");
  CHECK(format_number(1.0, 6) == "0.000001");
  CHECK(format_number(123456.0, 3) == "123.456");
  CHECK(format_number(-1500.0, 3) == "-1.5");
  CHECK(format_number(0.0, 3) == "0");
  CHECK(format_number(0.1) == "0.1");
  Rng rng{11, "numbers"};
  for (int i = 0; i < 20'000; ++i) {
    const double value = rng.uniform() * std::pow(10.0, static_cast<double>(rng.below(40)) - 20.0);
    for (const int shift : {0, 3, 6}) {
      INFO(value << " shift " << shift << " as " << format_number(value, shift));
      REQUIRE(parse_number(format_number(value, shift), shift) == value);
    }
  }
  for (const double value :
       {std::numeric_limits<double>::min(), std::numeric_limits<double>::max(), 9007199254740993.0}) {
    CHECK(parse_number(format_number(value, 6), 6) == value);
  }
}

TEST_CASE("text from outside is shown on one line, cut, and always as UTF-8", "[io]") {
  CHECK(in_quotes("plain") == "\"plain\"");
  CHECK(in_quotes("a\nb\tc\r\x01\x7f") == R"("a\nb\tc\r\x01\x7f")");
  CHECK(in_quotes("Z\xC3\xBCrich") == "\"Z\xC3\xBCrich\"");
  CHECK(in_quotes("Z\xFCrich") == R"("Z\xfcrich")");
  CHECK(in_quotes(std::string(1000, 'x')).size() == 65);
  const std::string umlauts = [] {
    std::string text = "x";
    for (int i = 0; i < 100; ++i) text += "\xC3\xBC";
    return text;
  }();
  CHECK(is_utf8(in_quotes(umlauts)));
  CHECK(on_one_line("a\nb") == "a\\nb");
}

TEST_CASE("UTF-8 is told from what only looks like it", "[io]") {
  for (const std::string_view good : {"", "abc", "\xC3\xBC", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF"}) {
    CHECK(is_utf8(good));
  }
  for (const std::string_view bad : {"\x80", "\xC3", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF0\x80\x80\x80",
                                     "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82", "\xFF"}) {
    CHECK_FALSE(is_utf8(bad));
  }
}

TEST_CASE("a source knows its lines and refuses what is no text", "[io]") {
  const auto source = TextSource::open("\xEF\xBB\xBFone\ntwo\nthree", "f", 100);
  REQUIRE(source);
  CHECK(source->text() == "one\ntwo\nthree");
  CHECK(source->line_at(0) == 1);
  CHECK(source->line_at(3) == 1);
  CHECK(source->line_at(4) == 2);
  CHECK(source->line_at(999) == 3);
  CHECK(source->fail_at(5, "bad ", std::size_t{7}).value().message == "f:2: bad 7");
  CHECK(TextSource::open(" \n\t", "f", 100).error().message == "f:1: the file is empty");
  CHECK(TextSource::open(std::string_view{"a\nb\0c", 5}, "f", 100).error().message ==
        "f:2: a NUL byte: this is not a text file");
  CHECK(TextSource::open("0123456789", "f", 5).error().message == "f:1: holds 10 bytes; at most 0 MiB are read");
  CHECK(TextSource::open("x", "two\nlines", 0).error().message.substr(0, 15) == "two\\nlines:1: h");
}

TEST_CASE("fields of a line are cut at white space, blank lines skipped", "[io]") {
  const auto source = TextSource::open("\n a  b\tc\r\n\n\r\nd", "f", 100);
  REQUIRE(source);
  LineReader lines{*source};
  CHECK(lines.next_fields() == std::vector<std::string_view>{"a", "b", "c"});
  CHECK(source->line_at(lines.offset()) == 2);
  CHECK(lines.next_fields() == std::vector<std::string_view>{"d"});
  CHECK(source->line_at(lines.offset()) == 5);
  CHECK(lines.next_fields().empty());
}
