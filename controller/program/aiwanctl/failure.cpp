#include "controller/program/aiwanctl/failure.h"

#include "core/io/message_text.h"

namespace wan::aiwanctl {

std::string error_line(const Failure& failure) {
  std::string line = "aiwanctl: ";
  line += io::on_one_line(failure.what);
  if (!failure.where.empty()) line.append(" (").append(io::on_one_line(failure.where)).append(")");
  if (!failure.next.empty()) line.append("; next: ").append(io::on_one_line(failure.next));
  return line;
}

}  // namespace wan::aiwanctl
