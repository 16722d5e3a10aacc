#include <catch2/catch.hpp>

#include "core/io/progress_bar.h"
#include "models/program/row_range.h"

namespace wan::models {
namespace {

TEST_CASE("rows are checked against what the traffic holds", "[models]") {
  CHECK(*check_rows(2, "--from", 5, "--to", 10) == RowRange{.from = 2, .to = 5});
  CHECK(*check_rows(2, "--from", kToTheEnd, "--to", 10) == RowRange{.from = 2, .to = 10});
  CHECK(*check_rows(0, "--from", 10, "--to", 10) == RowRange{.from = 0, .to = 10});
  CHECK(check_rows(-1, "--from", 5, "--to", 10).error().message == "--from -1 is outside the traffic's 10 rows");
  CHECK(check_rows(0, "--from", 11, "--to", 10).error().message == "--to 11 is outside the traffic's 10 rows");
  CHECK_FALSE(check_rows(0, "--from", -1, "--to", 10));
  CHECK_FALSE(check_rows(5, "--from", 5, "--to", 10));
  CHECK_FALSE(check_rows(10, "--from", kToTheEnd, "--to", 10));
}

TEST_CASE("a progress line shows the share done and the time left", "[models]") {
  CHECK(io::progress_line("training", 1, 4, std::chrono::seconds{30}) ==
        "training  [#######-----------------------]  25 %  1:30 left");
  CHECK(io::progress_line("training", 0, 4, std::chrono::seconds{30}) ==
        "training  [------------------------------]  0 %");
  CHECK(io::progress_line("x", 4, 4, std::chrono::seconds{30}) ==
        "x  [##############################]  100 %  0:00 left");
}

}  // namespace
}  // namespace wan::models
