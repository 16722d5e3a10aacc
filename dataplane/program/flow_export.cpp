#include "dataplane/program/flow_export.h"

#include <cstdio>
#include <optional>

#include "dataplane/ipfix_writer.h"
#include "dataplane/program/udp_sender.h"

namespace wan::dataplane {
namespace {

constexpr std::int64_t kFlushEveryNs = 1'000'000'000;

struct FileCloser {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

}  // namespace

struct FlowExport::Impl {
  explicit Impl(const IpfixTarget& target)
      : writer{IpfixOptions{.observation_domain = target.observation_domain,
                            .template_interval_ns = target.template_interval.count()},
               [this](std::span<const std::uint8_t> message) { send(message); }} {}

  void send(std::span<const std::uint8_t> message) {
    const bool sent =
        udp ? udp->send(message) : std::fwrite(message.data(), 1, message.size(), file.get()) == message.size();
    if (!sent) ++lost;
  }

  std::optional<UdpSender> udp;
  std::unique_ptr<std::FILE, FileCloser> file;
  IpfixWriter writer;
  std::int64_t flushed_ns = 0;
  std::uint64_t lost = 0;
};

FlowExport::FlowExport(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
FlowExport::FlowExport(FlowExport&&) noexcept = default;
FlowExport& FlowExport::operator=(FlowExport&&) noexcept = default;
FlowExport::~FlowExport() {
  if (impl_) impl_->writer.flush(impl_->flushed_ns);
}

Result<FlowExport> FlowExport::open(const IpfixTarget& target) {
  auto impl = std::make_unique<Impl>(target);
  if (!target.collector.empty()) {
    auto udp = UdpSender::connect(target.collector);
    if (!udp) return tl::unexpected<Error>{udp.error()};
    impl->udp = std::move(*udp);
  } else {
    impl->file.reset(std::fopen(target.file.c_str(), "ab"));
    if (!impl->file) return fail(ErrorCode::kIo, target.file.string() + ": cannot be written");
  }
  return FlowExport{std::move(impl)};
}

void FlowExport::write(std::span<const FlowRecord> records, std::int64_t now_ns) {
  if (!records.empty()) impl_->writer.write(records, now_ns);
  if (now_ns - impl_->flushed_ns < kFlushEveryNs) return;
  impl_->flushed_ns = now_ns;
  impl_->writer.flush(now_ns);
  if (impl_->file) std::fflush(impl_->file.get());
}

std::uint64_t FlowExport::messages_lost() const { return impl_->lost; }

}  // namespace wan::dataplane
