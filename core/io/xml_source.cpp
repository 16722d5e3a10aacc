#include "core/io/xml_source.h"

#include <algorithm>
#include <cctype>

#include "core/io/formats.h"
#include "core/io/number_text.h"

namespace wan::io {
namespace {

/// What `<?xml ... encoding="..."?>` says, in lower case; empty if nothing.
std::string declared_encoding(std::string_view text) {
  const std::string_view declaration = text.substr(0, std::min(text.find("?>"), std::size_t{200}));
  std::size_t at = declaration.find("encoding");
  if (!declaration.starts_with("<?xml") || at == std::string_view::npos) return {};
  at = declaration.find_first_of("\"'", at);
  if (at == std::string_view::npos) return {};
  const std::size_t end = declaration.find(declaration[at], at + 1);
  if (end == std::string_view::npos) return {};
  std::string encoding{declaration.substr(at + 1, end - at - 1)};
  for (char& c : encoding) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return encoding;
}

std::string latin1_to_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xc0 | (byte >> 6));
      out += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return out;
}

}  // namespace

Result<XmlSource> XmlSource::open(const TextSource& source) {
  if (source.text().size() > kXmlBytesMax) {
    return source.fail_at(0, "XML over ", kXmlBytesMax / kMebibyte, " MiB is not read");
  }
  const std::string encoding = declared_encoding(source.text());
  const bool latin1 = encoding == "iso-8859-1" || encoding == "latin1";
  if (!latin1 && !encoding.empty() && encoding != "utf-8" && encoding != "us-ascii" && encoding != "ascii") {
    return source.fail_at(0, "encoding ", in_quotes(encoding), " is not read: only UTF-8 and ISO-8859-1 are");
  }
  XmlSource xml{source};
  if (latin1) {
    xml.converted_ = std::make_unique<std::string>(latin1_to_utf8(source.text()));
    auto utf8 = TextSource::open(*xml.converted_, source.name(), 2 * kXmlBytesMax);
    if (!utf8) return error_of(utf8);
    xml.utf8_ = *utf8;
  }
  xml.document_ = std::make_unique<pugi::xml_document>();
  const std::string_view text = xml.utf8_.text();
  const auto outcome = xml.document_->load_buffer(text.data(), text.size(), pugi::parse_default, pugi::encoding_utf8);
  if (!outcome) {
    const auto offset = static_cast<std::size_t>(std::max<std::ptrdiff_t>(outcome.offset, 0));
    return xml.utf8_.fail_at(std::min(offset, text.size() - 1), "not well-formed XML: ", outcome.description());
  }
  std::size_t roots = 0;
  for (const pugi::xml_node node : xml.document_->children()) {
    if (node.type() == pugi::node_element && ++roots > 1) return xml.fail_at(node, "a second root element");
  }
  return xml;
}

std::size_t XmlSource::offset(pugi::xml_node node) const {
  return static_cast<std::size_t>(std::max<std::ptrdiff_t>(node.offset_debug(), 0));
}

Result<std::string> XmlSource::text_of(pugi::xml_node node) const {
  std::string text;
  for (const pugi::xml_node child : node.children()) {
    if (child.type() != pugi::node_pcdata && child.type() != pugi::node_cdata) {
      return fail_at(node, "<", node.name(), "> must hold text only");
    }
    text += child.value();
  }
  return std::string{trimmed(text)};
}

Result<double> XmlSource::number_of(pugi::xml_node node, int shift) const {
  const auto text = text_of(node);
  if (!text) return error_of(text);
  const auto number = parse_number(*text, shift);
  if (!number) return fail_at(node, "<", node.name(), "> ", in_quotes(*text), " is not a finite number");
  return *number;
}

Result<pugi::xml_node> XmlSource::child_of(pugi::xml_node node, const char* child) const {
  const pugi::xml_node found = node.child(child);
  if (!found) return fail_at(node, "<", node.name(), "> lacks <", child, ">");
  if (found.next_sibling(child)) {
    return fail_at(found.next_sibling(child), "<", node.name(), "> has a second <", child, ">");
  }
  return found;
}

}  // namespace wan::io
