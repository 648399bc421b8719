// ndt/autograd/dropout.hpp: dropout (Srivastava et al. 2014) whose choices belong to a trial and a step, not to a
// thread.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "ndt/autograd/tape.hpp"
#include "ndt/config.hpp"
#include "ndt/core/random.hpp"
#include "ndt/core/view.hpp"
#include "ndt/kernels/map.hpp"
#include "ndt/simd/words.hpp"

namespace ndt::inline NDT_TARGET {

/// One place of a model where elements are dropped.
struct Dropout {
  double rate = 0;            ///< probability that an element becomes 0, to the next 1/65536
  std::uint32_t purpose = 0;  ///< tells this place from others of the same step
};

/// Choices are made in groups of so many: memory for n of them has keep_size(n) elements.
inline constexpr std::size_t keep_group = 128;
constexpr std::size_t keep_size(std::size_t n) noexcept { return round_up(n, keep_group); }

/// Of 65536 equally likely choices, how many drop an element.
inline std::uint32_t dropped_choices(double rate) noexcept {
  return static_cast<std::uint32_t>(std::lround(rate * 65536.0));
}
/// What the others multiply it with, so that the mean stays.
template <class T>
T kept_scale(double rate) noexcept {
  return static_cast<T>(65536.0 / (65536.0 - dropped_choices(rate)));
}

/// keep[i] = 0 with the given probability, else 1 / (1 - rate), for keep_size(n) elements. 16 random bits each: a group
/// has the words of 16 blocks, the first word of every block before the second, lower halves before upper ones. Loops
/// over plain arrays are turned into vectors by the compiler.
template <class T>
void draw_keep(T* keep, std::size_t n, const RandomPlace& place, double rate) noexcept {
  constexpr std::size_t lanes = keep_group / 8, W = simd::words_width;
  constexpr std::size_t together = min_size(2, lanes / W);  // registers: enough to hide latency, few enough to stay
  const std::uint32_t threshold = dropped_choices(rate);
  const T scale = kept_scale<T>(rate);
  std::array<std::uint64_t, together * W> numbers;
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = i;
  const auto first = std::bit_cast<std::array<simd::words, together>>(numbers);
  const simd::words zero{};
  for (std::size_t block = 0; block * 8 < n; block += lanes, keep += keep_group) {
    std::uint32_t words[4][lanes];
    for (std::size_t at = 0; at < lanes; at += together * W) {
      [&]<std::size_t... Q>(std::index_sequence<Q...>) NDT_INLINE_LAMBDA {
        std::array<simd::words, together> a{first[Q] + (block + at)...}, b{((void)Q, zero + place.purpose)...},
            c{((void)Q, zero + place.item)...}, d{((void)Q, zero + place.step)...};
        philox_rounds(a, b, c, d, place.seed,
                      [](simd::words x, std::uint32_t m) NDT_INLINE_LAMBDA { return simd::product(x, m); });
        (simd::store_lower(words[0] + at + Q * W, a[Q]), ...);
        (simd::store_lower(words[1] + at + Q * W, b[Q]), ...);
        (simd::store_lower(words[2] + at + Q * W, c[Q]), ...);
        (simd::store_lower(words[3] + at + Q * W, d[Q]), ...);
      }
      (std::make_index_sequence<together>{});
    }
    T* to = keep;
    for (std::size_t word = 0; word < 4; ++word, to += 2 * lanes) {
      NDT_KEEP_LOOP
      for (std::size_t i = 0; i < lanes; ++i) to[i] = (words[word][i] & 0xffff) < threshold ? T(0) : scale;
      NDT_KEEP_LOOP
      for (std::size_t i = 0; i < lanes; ++i) to[lanes + i] = (words[word][i] >> 16) < threshold ? T(0) : scale;
    }
  }
}

namespace kernels {

/// y(M,N) = x keep: dropout, and its gradient where nothing is there yet. y may be x.
template <class V>
void keep_rows(Rows<typename V::value_type> y, Rows<const typename V::value_type> x,
               Rows<const typename V::value_type> keep, std::size_t M, std::size_t N) noexcept {
  for (std::size_t m = 0; m < M; ++m) {
    map<V>(
        y[m], N, [](auto v, auto k) NDT_INLINE_LAMBDA { return v * k; }, x[m], keep[m]);
  }
}

}  // namespace kernels

namespace detail {

/// What every element of x(trials * bins, columns) is multiplied with: a matrix like x.
template <class V>
Rows<const typename V::value_type> draw_keep(Tape<V>& tape, const Variable<typename V::value_type>* x,
                                             const Dropout& dropout) {
  using T = typename V::value_type;
  const std::size_t trials = tape.draws().trials.size(), size = x->size() / trials;
  NDT_ASSERT(size * trials == x->size());
  // Groups may end behind a trial: the next trial writes over what is too much.
  T* const keep = tape.template take<T>(x->size() + keep_group);
  for (std::size_t trial = 0; trial < trials; ++trial) {
    ndt::draw_keep(keep + trial * size, size, tape.draws().place(dropout.purpose, trial), dropout.rate);
  }
  return {keep, x->value.stride};
}

}  // namespace detail

/// y = x with elements dropped and the rest scaled up; x itself where the rate is 0. Behind a product linear() does it.
template <class V>
Variable<typename V::value_type>* dropout(Tape<V>& tape, Variable<typename V::value_type>* x, const Dropout& options) {
  using T = typename V::value_type;
  if (options.rate == 0) return x;
  const Rows<const T> keep = detail::draw_keep(tape, x, options);
  Variable<T>* const y = tape.variable(x->rows, x->columns);
  kernels::keep_rows<V>(y->value, x->value, keep, x->rows, x->columns);
  tape.record(y, [&tape, x, y, keep] {
    const auto [gradient, accumulate] = tape.sink(x);
    if (!accumulate) return kernels::keep_rows<V>(gradient, y->gradient, keep, x->rows, x->columns);
    for (std::size_t m = 0; m < x->rows; ++m) {
      kernels::map<V>(
          gradient[m], x->columns, [](auto d, auto k, auto sum) NDT_INLINE_LAMBDA { return V::fma(d, k, sum); },
          y->gradient[m], keep[m], gradient[m]);
    }
  });
  return y;
}

}  // namespace ndt::inline NDT_TARGET
