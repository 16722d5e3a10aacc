#include <algorithm>
#include <cmath>
#include <string>

#include "core/io/number_text.h"
#include "core/io/plan_file.h"
#include "core/io/text_source.h"

namespace wan::io {
namespace {

std::string json_string(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (const auto byte = static_cast<unsigned char>(c); byte < 0x20) {
      out.append("\\u00").append(1, kDigits[byte >> 4]).append(1, kDigits[byte & 0xf]);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

void append_demand(std::string& out, const Demand& demand) {
  out += joined("{\"class\":", demand.cls.index(), ",\"from\":", demand.from.index(), ",\"to\":", demand.to.index());
}

void append_network(std::string& out, const Topology& topology) {
  out += "\"nodes\":[";
  for (std::size_t n = 0; n < topology.node_count(); ++n) {
    out.append(n == 0 ? "\n" : ",\n").append(json_string(topology.nodes()[n].name));
  }
  out += "\n],\n\"links\":[";
  for (std::size_t l = 0; l < topology.link_count(); ++l) {
    const Link& link = topology.links()[l];
    out += joined(l == 0 ? "\n" : ",\n", "{\"from\":", link.from.index(), ",\"to\":", link.to.index(),
                  ",\"name\":", json_string(link.name), "}");
  }
  out += "\n]";
}

/// "N3": to node 3; "A7": across link 7.
void append_segments(std::string& out, std::span<const PathSegment> list) {
  out += ",\"segments\":[";
  for (std::size_t s = 0; s < list.size(); ++s) {
    out += s == 0 ? "\"" : ",\"";
    const auto link = list[s].link();
    out.append(link ? "A" : "N").append(std::to_string(link ? link->index() : list[s].node()->index()));
    out += '"';
  }
  out += ']';
}

void append_limits(std::string& out, const PlanLimits& limits) {
  if (!limits.paths_max && !limits.sid_depth) return;
  out += "\"limits\":{";
  if (limits.paths_max) out += joined("\"paths_max\":", *limits.paths_max);
  if (limits.paths_max && limits.sid_depth) out += ',';
  if (limits.sid_depth) out += joined("\"sid_depth\":", *limits.sid_depth);
  out += "},\n";
}

void append_demands(std::string& out, const PathPlan& plan, const SegmentLists& segments) {
  out += "\"demands\":[";
  std::size_t path = 0;
  for (std::size_t d = 0; d < plan.demand_count(); ++d) {
    out += d == 0 ? "\n" : ",\n";
    append_demand(out, plan.demands()[d]);
    out += ",\"paths\":[";
    for (std::size_t p = 0; p < plan.path_count(d); ++p) {
      const auto [fraction, links] = plan.path(d, p);
      out.append(p == 0 ? "{\"fraction\":" : ",{\"fraction\":").append(format_number(fraction)).append(",\"links\":[");
      for (std::size_t l = 0; l < links.size(); ++l) {
        out.append(l == 0 ? "" : ",").append(std::to_string(links[l].index()));
      }
      out += ']';
      if (!segments.empty()) append_segments(out, segments.list(path++));
      out += '}';
    }
    out += "]}";
  }
  out += "\n]";
}

void append_certificate(std::string& out, const Certificate& certificate) {
  out.append("\"certificate\":{\"utilization\":").append(format_number(certificate.utilization));
  out.append(",\"lower_bound\":").append(format_number(certificate.lower_bound)).append(",\"duals\":[");
  for (std::size_t l = 0; l < certificate.duals.size(); ++l) {
    out.append(l == 0 ? "" : ",").append(format_number(certificate.duals[l]));
  }
  out += "]}";
}

bool is_finite(const Certificate& certificate) {
  return std::isfinite(certificate.utilization) && std::isfinite(certificate.lower_bound) &&
         std::all_of(certificate.duals.begin(), certificate.duals.end(),
                     [](double dual) { return std::isfinite(dual); });
}

}  // namespace

Result<void> write_plan(const std::filesystem::path& file, const Topology& topology, const PlanFile& plan) {
  if (!is_finite(plan.certificate)) {
    return fail(ErrorCode::kBadInput, joined(file.string(), ": the certificate holds a number that is not finite"));
  }
  if (plan.limits.paths_max == 0 || plan.limits.sid_depth == 0) {
    return fail(ErrorCode::kBadInput, joined(file.string(), ": a limit of 0 paths or segments"));
  }
  std::string out = joined("{\n\"format\":\"aiwan-plan/1\",\n\"topology\":", json_string(plan.topology_digest), ",\n");
  append_network(out, topology);
  out += ",\n";
  append_certificate(out, plan.certificate);
  out += ",\n";
  append_limits(out, plan.limits);
  append_demands(out, plan.plan, plan.segments);
  out += ",\n\"unrouted\":[";
  for (std::size_t u = 0; u < plan.unrouted.size(); ++u) {
    out += u == 0 ? "\n" : ",\n";
    append_demand(out, plan.unrouted[u]);
    out += "}";
  }
  out += "\n]\n}\n";
  return write_whole_file(file, out);
}

}  // namespace wan::io
