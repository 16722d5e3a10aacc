#include "dataplane/dpdk/eal.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <sched.h>

namespace wan::dataplane {

Result<void> start_eal(const std::vector<std::string>& devices, std::size_t memory_mib, bool huge_pages, bool pci) {
  std::vector<std::string> words{
      "aiwan-dataplane", "--no-telemetry", "--iova-mode=va", "--log-level=error", "-m", std::to_string(memory_mib)};
  words.emplace_back(huge_pages ? "--in-memory" : "--no-huge");  // the two exclude each other
  if (!huge_pages) words.emplace_back("--no-shconf");
  if (!pci) words.emplace_back("--no-pci");
  for (const std::string& device : devices) words.push_back(device);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  // DPDK ties this thread to one core; where its threads run is the system's business here.
  cpu_set_t before;
  CPU_ZERO(&before);
  sched_getaffinity(0, sizeof before, &before);
  if (rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) < 0) {
    return fail(ErrorCode::kIo, std::string{"DPDK does not start: "}.append(rte_strerror(rte_errno)) +
                                    (huge_pages ? "; are there huge pages (/proc/sys/vm/nr_hugepages)?" : ""));
  }
  sched_setaffinity(0, sizeof before, &before);
  return {};
}

}  // namespace wan::dataplane
