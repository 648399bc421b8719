#include <cmath>
#include <limits>
#include <string>

#include <ndt/core/random.hpp>
#include <ndt/data/portable_math.hpp>
#include "../support/catch.hpp"

namespace {

namespace data = ndt::data;

/// |value - exact| in units of the last place of exact.
double ulps(double value, long double exact) {
  const double size = std::abs(static_cast<double>(exact));
  const double ulp = std::nextafter(size, INFINITY) - size;
  return std::abs(static_cast<double>((static_cast<long double>(value) - exact) / static_cast<long double>(ulp)));
}

template <class Ours, class Theirs>
double worst(Ours&& ours, Theirs&& theirs, double from, double to, int draws = 200000) {
  ndt::RandomStream stream({.seed = 3});
  double worst = 0;
  for (int i = 0; i < draws; ++i) {
    const double x = stream.uniform(from, to);
    worst = std::max(worst, ulps(ours(x), theirs(static_cast<long double>(x))));
  }
  return worst;
}

// long double has 64 bits here, which leaves 11 to judge with. Where it is a double, the bounds hold half an ulp more.
constexpr double slack = std::numeric_limits<long double>::digits > 53 ? 0.0 : 0.51;

TEST_CASE("exp is within an ulp over its whole range", "[data][portable_math]") {
  const auto theirs = [](long double x) { return std::exp(x); };
  CHECK(worst(data::exp, theirs, -1, 1) < 1.0 + slack);
  CHECK(worst(data::exp, theirs, -20, 20) < 0.88 + slack);  // 0.85; 0.93 without the lost part of the argument
  CHECK(worst(data::exp, theirs, -708, 709) < 1.0 + slack);
  CHECK(data::exp(0.0) == 1.0);
  CHECK(data::exp(710.0) == INFINITY);
  CHECK(data::exp(-746.0) == 0.0);
  CHECK(data::exp(-745.0) == std::exp(-745.0));
  CHECK(std::isnan(data::exp(NAN)));
}

TEST_CASE("log is within an ulp for small, near-one and large numbers", "[data][portable_math]") {
  const auto theirs = [](long double x) { return std::log(x); };
  CHECK(worst(data::log, theirs, 0x1p-60, 1e-6) < 1.0 + slack);
  CHECK(worst(data::log, theirs, 0, 1) < 1.0 + slack);
  CHECK(worst(data::log, theirs, 0.99, 1.01) < 1.0 + slack);
  CHECK(worst(data::log, theirs, 1, 1e9) < 1.0 + slack);
  CHECK(data::log(1.0) == 0.0);
  CHECK(data::log(0.0) == -INFINITY);
  CHECK(data::log(INFINITY) == INFINITY);
  CHECK(std::isnan(data::log(-1.0)));
  CHECK(data::log(0x1p-1074) == std::log(0x1p-1074));
}

TEST_CASE("sin and cos are within an ulp up to a million radians", "[data][portable_math]") {
  const auto sine = [](long double x) { return std::sin(x); };
  const auto cosine = [](long double x) { return std::cos(x); };
  for (const double range : {1.0, 7.0, 100.0, 1e6}) {
    INFO(range);
    CHECK(worst(data::sin, sine, -range, range) < 1.0 + slack);
    CHECK(worst(data::cos, cosine, -range, range) < 1.0 + slack);
  }
  CHECK(data::sin(0.0) == 0.0);
  CHECK(data::cos(0.0) == 1.0);
  // Where the reduced angle is nearly nothing, all of pi's pieces count.
  for (int k = 1; k < 600000; k = 3 * k + 1) {
    const double x = k * 1.5707963267948966;
    CHECK(ulps(k % 2 ? data::cos(x) : data::sin(x),
               k % 2 ? std::cos(static_cast<long double>(x)) : std::sin(static_cast<long double>(x))) < 1.0 + slack);
  }
}

TEST_CASE("tanh is within three ulps and keeps the digits of small numbers", "[data][portable_math]") {
  const auto theirs = [](long double x) { return std::tanh(x); };
  CHECK(worst(data::tanh, theirs, -1e-6, 1e-6) < 3.0 + slack);
  CHECK(worst(data::tanh, theirs, -1, 1) < 3.0 + slack);
  CHECK(worst(data::tanh, theirs, -25, 25) < 3.0 + slack);
  CHECK(data::tanh(1e300) == 1.0);
  CHECK(data::tanh(-INFINITY) == -1.0);
  CHECK(data::tanh(0.0) == 0.0);
}

}  // namespace
