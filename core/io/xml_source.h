#pragma once

#include <memory>
#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "core/io/text_source.h"

namespace wan::io {

/// A parsed XML text: well formed, one root element. Views its source's bytes only through its own copy.
class XmlSource {
 public:
  /// Understands UTF-8 and ISO-8859-1. Reads no external entity and expands none but the predefined five.
  /// @error kBadInput: another encoding, or not well formed
  [[nodiscard]] static Result<XmlSource> open(const TextSource& source);

  [[nodiscard]] pugi::xml_node root() const { return document_->document_element(); }
  /// Where an element begins, for messages.
  [[nodiscard]] std::size_t offset(pugi::xml_node node) const;
  template <typename... Parts>
  [[nodiscard]] tl::unexpected<Error> fail_at(pugi::xml_node node, const Parts&... parts) const {
    return utf8_.fail_at(offset(node), parts...);
  }

  /// The element's text without the white space around it.
  /// @error kBadInput: it holds elements
  [[nodiscard]] Result<std::string> text_of(pugi::xml_node node) const;
  /// The element's text as a finite number times 10^`shift`.
  [[nodiscard]] Result<double> number_of(pugi::xml_node node, int shift = 0) const;
  /// The only child of that name. @error kBadInput: there is none, or several
  [[nodiscard]] Result<pugi::xml_node> child_of(pugi::xml_node node, const char* child) const;

  /// The text in UTF-8 that offsets count in; its lines are the file's lines.
  [[nodiscard]] const TextSource& utf8() const { return utf8_; }

 private:
  explicit XmlSource(const TextSource& source) : utf8_{source} {}
  TextSource utf8_;
  std::unique_ptr<std::string> converted_;  // on the heap: utf8_ views it
  std::unique_ptr<pugi::xml_document> document_;
};

}  // namespace wan::io
