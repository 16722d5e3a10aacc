#include <cmath>

#include "core/io/plan_file.h"
#include "tests/fuzz/expectations.h"
#include "tests/fuzz/networks.h"

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto file = wan::io::parse_plan(text, "input", wan::fuzz::diamond());
  if (!file) {
    wan::fuzz::expect_good_message(file.error());
    return 0;
  }
  const wan::PathPlan& plan = file->plan;
  for (std::size_t d = 0; d < plan.demand_count(); ++d) {
    wan::fuzz::expect(d == 0 || plan.demands()[d - 1] < plan.demands()[d], "demands increase");
    double sum = 0.0;
    for (std::size_t p = 0; p < plan.path_count(d); ++p) {
      sum += plan.path(d, p).fraction;
      for (const wan::LinkId link : plan.path(d, p).links) wan::fuzz::expect(link.index() < 4, "links exist");
    }
    wan::fuzz::expect(std::abs(sum - 1.0) <= 1e-9, "fractions sum to 1");
  }
  wan::fuzz::expect(file->segments.empty() || file->segments.size() == plan.path_count(), "a list for each path");
  for (std::size_t p = 0; p < file->segments.size(); ++p) {
    for (const wan::PathSegment& segment : file->segments.list(p)) {
      wan::fuzz::expect(segment.link() ? segment.link()->index() < 4 : segment.node()->index() < 4, "segments exist");
    }
  }
  wan::fuzz::expect(file->limits.paths_max != 0 && file->limits.sid_depth != 0, "limits are above zero");
  (void)plan.check(wan::fuzz::diamond());  // may refuse the paths, but must survive them
  return 0;
}
