#include "controller/link_prices.h"

#include "controller/vector_exp.h"

namespace wan::controller {
namespace {

WAN_VECTOR_CLONES
void exponentials(const double* u, const double* inverse_capacity, std::size_t n, double sharpness, double reference,
                  double* out) {
#pragma omp simd
  for (std::size_t i = 0; i < n; ++i) out[i] = vector_exp(sharpness * (u[i] - reference)) * inverse_capacity[i];
}

}  // namespace

void link_prices(std::span<const double> utilization, std::span<const double> inverse_capacity, double sharpness,
                 double reference, std::span<double> price) {
  exponentials(utilization.data(), inverse_capacity.data(), utilization.size(), sharpness, reference, price.data());
}

}  // namespace wan::controller
