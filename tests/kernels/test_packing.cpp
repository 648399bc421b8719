// Panels: where every element goes, and that pieces put together give the whole.
#include <ndt/kernels/packing.hpp>

#include "../support/catch.hpp"
#include "../support/matrix.hpp"
#include "../support/noise.hpp"
#include "../support/policies.hpp"
#include "../support/product.hpp"

namespace kernels = ndt::kernels;
using support::Guarded;
using support::Matrix;

namespace {

constexpr std::size_t column_counts[] = {1, 2, 15, 16, 17, 31, 32, 33, 48, 101};
constexpr std::size_t row_counts[] = {1, 3, 16, 17};

template <class T>
std::vector<T> transposed(const std::vector<T>& m, std::size_t rows, std::size_t columns) {
  std::vector<T> w(m.size());
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) w[c * rows + r] = m[r * columns + c];
  }
  return w;
}

/// Both ways to pack: element by element, and by registers of a policy.
template <class Number>
struct Elements {
  using value_type = Number;
  static void transposed(Number* panels, ndt::Rows<const Number> w, auto... sizes) {
    kernels::pack_transposed(panels, w, static_cast<std::size_t>(sizes)...);
  }
  static void rows(Number* panels, ndt::Rows<const Number> m, auto... sizes) {
    kernels::pack_rows(panels, m, static_cast<std::size_t>(sizes)...);
  }
};
template <class V>
struct Registers {
  using value_type = typename V::value_type;
  static void transposed(value_type* panels, ndt::Rows<const value_type> w, auto... sizes) {
    kernels::pack_transposed<V>(panels, w, static_cast<std::size_t>(sizes)...);
  }
  static void rows(value_type* panels, ndt::Rows<const value_type> m, auto... sizes) {
    kernels::pack_rows<V>(panels, m, static_cast<std::size_t>(sizes)...);
  }
};

}  // namespace

#define NDT_PACKERS \
  Elements<float>, Elements<double>, Registers<ndt::simd::native<float>>, Registers<ndt::simd::native<double>>

TEST_CASE("packed_size counts whole panels", "[kernels][packing]") {
  static_assert(kernels::panel_width == 16);
  static_assert(kernels::packed_size(3, 1) == 48 && kernels::packed_size(3, 16) == 48);
  static_assert(kernels::packed_size(3, 17) == 96 && kernels::packed_size(0, 5) == 0);
}

TEMPLATE_TEST_CASE("pack_transposed puts every element in its place and zeros behind the last column",
                   "[kernels][packing]", NDT_PACKERS) {
  using T = typename TestType::value_type;
  for (const std::size_t N : column_counts) {
    for (const std::size_t K : row_counts) {
      INFO("N " << N << " K " << K);
      const auto numbers = support::noise<T>(N * K, N);
      const Matrix<T> w(numbers, K, 3);
      Guarded<T> panels(kernels::packed_size(K, N));
      TestType::transposed(panels.data(), w.rows(), N, K, 0, N);
      CHECK(support::same_bits(panels, support::panels_of(numbers, N, K)));
    }
  }
}

TEMPLATE_TEST_CASE("pack_column writes what pack_transposed does for its row, and nothing else", "[kernels][packing]",
                   float, double) {
  for (const std::size_t N : column_counts) {
    for (const std::size_t K : row_counts) {
      INFO("N " << N << " K " << K);
      const auto numbers = support::noise<TestType>(N * K, N);
      const auto whole = support::panels_of(numbers, N, K);
      for (std::size_t j = 0; j < N; ++j) {
        auto expected = std::vector<TestType>(whole.size(), TestType(7));
        for (std::size_t k = 0; k < K; ++k) {
          const std::size_t place = kernels::panel_place(k, j, K);
          expected[place] = whole[place];
        }
        Guarded<TestType> panels(whole.size());
        std::fill_n(panels.data(), whole.size(), TestType(7));
        kernels::pack_column(panels.data(), numbers.data() + j * K, K, j);
        CHECK(support::same_bits(panels, expected));
      }
    }
  }
}

TEMPLATE_TEST_CASE("pack_transposed may be done in pieces of any size and order", "[kernels][packing]", NDT_PACKERS) {
  using T = typename TestType::value_type;
  const std::size_t K = 5;
  for (const std::size_t N : column_counts) {
    const auto numbers = support::noise<T>(N * K, N);
    const Matrix<T> w(numbers, K, 1);
    const auto whole = support::panels_of(numbers, N, K);
    for (std::size_t a = 0; a <= N; ++a) {
      for (std::size_t b = a; b <= N; b += N < 40 ? 1 : 13) {
        INFO("N " << N << " pieces up to " << a << ", " << b);
        Guarded<T> panels(whole.size(), support::Touch::beginning);
        TestType::transposed(panels.data(), w.rows().from(b), N, K, b, N);
        TestType::transposed(panels.data(), w.rows(), N, K, 0, a);
        TestType::transposed(panels.data(), w.rows().from(a), N, K, a, b);
        CHECK(support::same_bits(panels, whole));
      }
    }
  }
}

TEMPLATE_TEST_CASE("pack_transposed of a piece writes no other column", "[kernels][packing]", NDT_PACKERS) {
  using T = typename TestType::value_type;
  const std::size_t K = 3, N = 35;
  const auto numbers = support::noise<T>(N * K, 1);
  const Matrix<T> w(numbers, K, 0);
  const auto whole = support::panels_of(numbers, N, K);
  for (std::size_t first = 0; first <= N; ++first) {
    for (std::size_t last = first; last < N; ++last) {
      INFO("columns " << first << " to " << last);
      Guarded<T> panels(whole.size()), expected(whole.size());
      TestType::transposed(panels.data(), w.rows().from(first), N, K, first, last);
      for (std::size_t j = first; j < last; ++j) {
        for (std::size_t k = 0; k < K; ++k) expected[j / 16 * 16 * K + k * 16 + j % 16] = numbers[j * K + k];
      }
      CHECK(support::same_bits(panels, expected));
    }
  }
}

TEMPLATE_TEST_CASE("unpack_transposed gives back what was packed", "[kernels][packing]", float, double) {
  for (const std::size_t N : column_counts) {
    for (const std::size_t K : row_counts) {
      INFO("N " << N << " K " << K);
      const auto numbers = support::noise<TestType>(N * K, K);
      const Guarded<TestType> panels(support::panels_of(numbers, N, K));
      Matrix<TestType> w(N, K, 2);
      kernels::unpack_transposed(w.rows(), panels.data(), N, K);
      CHECK(support::same_bits(w.values(), numbers));
      CHECK(w.gaps_untouched());
    }
  }
}

TEMPLATE_TEST_CASE("pack_rows may be done in pieces, and is pack_transposed of the transpose", "[kernels][packing]",
                   NDT_PACKERS) {
  using T = typename TestType::value_type;
  for (const std::size_t N : column_counts) {
    for (const std::size_t K : row_counts) {
      const auto numbers = support::noise<T>(K * N, N);
      const Matrix<T> m(numbers, N, 2);
      const auto whole = support::panels_of(transposed(numbers, K, N), N, K);
      for (std::size_t split = 0; split <= K; ++split) {
        INFO("N " << N << " K " << K << " split " << split);
        Guarded<T> panels(whole.size());
        TestType::rows(panels.data(), m.rows().from(split), K, N, split, K);
        // The rows before the split must be as they were: fresh.
        bool fresh = true;
        for (std::size_t j = 0; j < N; j += 16) fresh = fresh && support::untouched(panels.data() + j * K, split * 16);
        CHECK(fresh);
        TestType::rows(panels.data(), m.rows(), K, N, 0, split);
        CHECK(support::same_bits(panels, whole));
      }
    }
  }
}
