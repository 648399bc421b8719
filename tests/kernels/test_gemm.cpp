// The matrix product at every size of tile and with everything that is fused to it, against three plain loops.
#include <algorithm>
#include <cmath>
#include <limits>

#include "../support/policies.hpp"
#include "../support/product.hpp"
#include "../support/reference.hpp"
#include "../support/widths.hpp"

namespace kernels = ndt::kernels;
using support::all_uses;
using support::Expected;
using support::Matrix;
using support::Product;
using support::Residual;
using support::Use;
using support::Wide;

namespace {

/// Two tallest tiles and one row.
template <class V>
constexpr std::size_t most_rows = 2 * kernels::tile_limits<V>::rows + 1;

/// Every width up to two panels and a bit, then some odd neuron counts.
std::vector<std::size_t> column_counts() {
  std::vector<std::size_t> all;
  for (std::size_t n = 1; n <= 2 * kernels::panel_width + 3; ++n) all.push_back(n);
  all.push_back(101), all.push_back(202);
  return all;
}

/// The edge by the book: chain from C, bias, residual, ReLU.
template <class V, class T = typename V::value_type>
Expected<T> with_edge(Expected<T> c, const Product<V>& product, const Use& use) {
  const auto add = [&](std::size_t i, T term) { c.value[i] += term, c.size[i] += std::abs(Wide<T>(term)); };
  for (std::size_t i = 0; i < c.value.size(); ++i) {
    if (use.accumulate) add(i, product.before[i]);
    if (use.bias) add(i, product.bias[i % product.N]);
    if (use.residual == Residual::other) add(i, product.residual[i]);
    if (use.residual == Residual::self) add(i, product.before[i]);
    if (use.relu && c.value[i] < 0) c.value[i] = 0;
  }
  return c;
}

}  // namespace

TEMPLATE_TEST_CASE("gemm is right for every tile, tail and edge, and touches C alone", "[kernels][gemm]",
                   NDT_POLICIES) {
  using V = TestType;
  const auto uses = all_uses();
  for (std::size_t M = 1; M <= most_rows<V>; ++M) {
    for (const std::size_t N : column_counts()) {
      for (const std::size_t K : support::Sizes{0, 1, 2, 7, 101}) {
        INFO("M " << M << " N " << N << " K " << K);
        const support::Touch touch = (M + N) % 2 == 0 ? support::Touch::end : support::Touch::beginning;
        const Product<V> product(M, K, N, touch);
        const auto plain = support::reference::matmul(product.a, product.w, M, K, N);
        double worst = 0;
        bool gaps_untouched = true;
        // Every edge meets every tile, at a small and at a larger K in turn: half the work.
        for (std::size_t u = (N + K) % 2; u < uses.size(); u += 2) {
          const Use& use = uses[u];
          auto c = product.start(4, touch);
          kernels::gemm<V>(c.rows(), product.a_rows.rows(), product.b(), M, K, N, product.edge(use, c));
          worst = std::max(worst, support::worst_in_epsilons(c.values(), with_edge(plain, product, use)));
          gaps_untouched = gaps_untouched && c.gaps_untouched();
        }
        CHECK(worst < 2);
        CHECK(gaps_untouched);
      }
    }
  }
}

TEMPLATE_TEST_CASE("gemm gives a row the same bits whatever rows are computed with it", "[kernels][gemm]",
                   NDT_POLICIES) {
  using V = TestType;
  for (const std::size_t N : support::Sizes{1, 5, 16, 37, 101}) {
    for (const Use& use : all_uses()) {
      INFO("N " << N << " accumulate " << use.accumulate << " bias " << use.bias);
      constexpr std::size_t M = std::max<std::size_t>(13, most_rows<V>);
      const Product<V> product(M, 101, N);
      const auto gemm = [&](Matrix<typename V::value_type>& c, std::size_t row, std::size_t rows) {
        kernels::gemm<V>(c.rows().from(row), product.a_rows.rows().from(row), product.b(), rows, product.K, N,
                         product.edge(use, c, row));
      };
      auto whole = product.start(1);
      gemm(whole, 0, M);
      for (std::size_t rows = 1; rows < M; ++rows) {
        auto parts = product.start(1);
        for (std::size_t row = 0; row < M; row += rows) gemm(parts, row, std::min(rows, M - row));
        CHECK(support::same_bits(parts.values(), whole.values()));
      }
    }
  }
}

TEMPLATE_TEST_CASE("gemm is right where tiles ask for what follows between the steps of a chain", "[kernels][gemm]",
                   NDT_POLICIES) {
  using V = TestType;
  using asks = kernels::detail::tile_asks<V, kernels::Edge<typename V::value_type>>;
  constexpr std::size_t often = asks::often, seldom = asks::seldom;
  const std::size_t N = 101;
  for (const std::size_t M : {3 * kernels::tile_limits<V>::rows, 66 * kernels::tile_limits<V>::rows}) {
    for (const std::size_t K : {often - 1, often, often + 1, seldom - 1, seldom, seldom + 1, 2 * seldom + often}) {
      INFO("M " << M << " K " << K);
      const Product<V> product(M, K, N);
      auto c = product.start(1);
      const Use use{};
      kernels::gemm<V>(c.rows(), product.a_rows.rows(), product.b(), M, K, N, product.edge(use, c));
      const auto plain = support::reference::matmul(product.a, product.w, M, K, N);
      CHECK(support::worst_in_epsilons(c.values(), with_edge(plain, product, use)) < 3);
      CHECK(c.gaps_untouched());
    }
  }
}

TEMPLATE_TEST_CASE("the tiles of a block ask together for about all rows of the next", "[kernels][gemm]",
                   NDT_POLICIES) {
  using asks = kernels::detail::tile_asks<TestType, kernels::Edge<typename TestType::value_type>>;
  for (std::size_t K = 0; K <= 3 * asks::seldom; ++K) {
    for (std::uint32_t blocks = 3; blocks <= 40; ++blocks) {
      INFO("K " << K << " blocks of rows " << blocks);
      const asks each(K, blocks);
      const std::size_t pieces = std::max<std::size_t>(1, ndt::divide_up(K, each.every)), parts = each.times * blocks;
      CHECK(each.times == (asks::in_pieces ? pieces : 1));
      CHECK(each.share * parts + parts > K + parts / 2);  // rounded to the nearest: half a row for a part too few
      CHECK(each.share * parts <= K + parts / 2);         // or too many
    }
  }
}

TEST_CASE("tiles of 32 registers ask seldom where few rows at a time do, and often where they do not",
          "[kernels][gemm]") {
  using V = ndt::simd::native<float>;
  using asks = kernels::detail::tile_asks<V, kernels::Edge<float>>;
  if (!asks::in_pieces) {
    CHECK(asks(202, 8).times == 1);
    CHECK(asks(202, 8).share == 25);
    return;
  }
  struct Case {
    std::size_t K;
    std::uint32_t blocks, every, times, share;
  };
  for (const Case& each : {Case{202, 24, 128, 2, 4}, Case{202, 8, 64, 4, 6}, Case{202, 4, 64, 4, 13},
                           Case{100, 12, 128, 1, 8}, Case{100, 3, 64, 2, 17}, Case{58, 7, 128, 1, 8},
                           Case{58, 6, 128, 1, 10}, Case{64, 3, 128, 1, 21}, Case{0, 5, 128, 1, 0}}) {
    INFO("K " << each.K << " blocks of rows " << each.blocks);
    const asks plan(each.K, each.blocks);
    CHECK(plan.every == each.every);
    CHECK(plan.times == each.times);
    CHECK(plan.share == each.share);
  }
}

TEMPLATE_TEST_CASE("gemm of long chains is right with every edge, and reads A as a transpose with the same bits",
                   "[kernels][gemm]", NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  for (const std::size_t K :
       support::Sizes{kernels::detail::longest_chain<V>(4) + 1, kernels::detail::longest_chain<V>(1) + 1, 601}) {
    for (const std::size_t N : support::Sizes{1, 37, 58}) {
      const std::size_t M = most_rows<V>;
      const Product<V> product(M, K, N);
      const auto plain = support::reference::matmul(product.a, product.w, M, K, N);
      Matrix<T> transpose(K, M, 1);
      for (std::size_t m = 0; m < M; ++m) {
        for (std::size_t k = 0; k < K; ++k) transpose.rows()[k][m] = product.a[m * K + k];
      }
      for (const Use& use : all_uses()) {
        INFO("K " << K << " N " << N << " accumulate " << use.accumulate << " bias " << use.bias);
        auto c = product.start(1), from_columns = product.start(1), one = product.start(1);
        kernels::gemm<V>(c.rows(), product.a_rows.rows(), product.b(), M, K, N, product.edge(use, c));
        CHECK(support::worst_in_epsilons(c.values(), with_edge(plain, product, use)) < 2);
        CHECK(c.gaps_untouched());
        kernels::gemm<V>(from_columns.rows(), ndt::Columns<const T>{transpose.rows().data, transpose.rows().stride},
                         product.b(), M, K, N, product.edge(use, from_columns));
        CHECK(support::same_bits(from_columns.values(), c.values()));
        for (std::size_t m = 0; m < M; ++m) {
          kernels::gemm<V>(one.rows().from(m), product.a_rows.rows().from(m), product.b(), 1, K, N,
                           product.edge(use, one, m));
        }
        CHECK(support::same_bits(one.values(), c.values()));
      }
    }
  }
}

TEMPLATE_TEST_CASE("gemm may be split at any k by accumulating", "[kernels][gemm]", NDT_POLICIES) {
  using V = TestType;
  const std::size_t M = 5, K = 23, N = 37;
  const Product<V> product(M, K, N);
  auto whole = product.start(0);
  kernels::gemm<V>(whole.rows(), product.a_rows.rows(), product.b(), M, K, N);
  for (std::size_t split = 0; split <= K; ++split) {
    INFO("split " << split);
    auto c = product.start(0);
    kernels::gemm<V>(c.rows(), product.a_rows.rows(), product.b(), M, split, N);
    kernels::gemm<V>(c.rows(), product.a_rows.rows().from(0, split), product.b().from_row(split), M, K - split, N,
                     {.accumulate = true});
    CHECK(support::same_bits(c.values(), whole.values()));
  }
}

TEMPLATE_TEST_CASE("gemm_registers computes the columns it is given, with the bits of the whole, and no others",
                   "[kernels][gemm]", NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  const std::size_t M = 7, K = 11, N = 35, W = V::width, registers = (N + W - 1) / W;
  const Product<V> product(M, K, N);
  const Use use{.bias = true, .residual = Residual::other};
  auto whole = product.start(1);
  kernels::gemm<V>(whole.rows(), product.a_rows.rows(), product.b(), M, K, N, product.edge(use, whole));
  for (std::size_t first = 0; first <= registers; ++first) {
    for (std::size_t last = first; last <= registers; ++last) {
      INFO("registers " << first << " to " << last);
      Matrix<T> c(M, N, 1), expected(M, N, 0);
      kernels::gemm_registers<V>(c.rows(), product.a_rows.rows(), product.b(), M, K, N, first, last,
                                 product.edge(use, c));
      for (std::size_t m = 0; m < M; ++m) {
        std::copy(whole.rows()[m] + std::min(N, first * W), whole.rows()[m] + std::min(N, last * W),
                  expected.rows()[m] + std::min(N, first * W));
      }
      CHECK(support::same_bits(c.values(), expected.values()));
      CHECK(c.gaps_untouched());
    }
  }
}

TEMPLATE_TEST_CASE("gemm keeps NaN in its row of A and its column of B, and relu does not hide it", "[kernels][gemm]",
                   NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  const std::size_t M = 13, K = 7, N = 35;
  for (const std::size_t bad_row : support::Sizes{0, 4, 12}) {
    for (const std::size_t bad_column : support::Sizes{0, 7, 17, 34}) {
      INFO("row " << bad_row << " column " << bad_column);
      Product<V> product(M, K, N);
      const T nan = std::numeric_limits<T>::quiet_NaN();
      product.a_rows.rows()[bad_row][3] = nan;
      product.panels[bad_column / 16 * 16 * K + 2 * 16 + bad_column % 16] = nan;
      auto c = product.start(0);
      kernels::gemm<V>(c.rows(), product.a_rows.rows(), product.b(), M, K, N, {.relu = true});
      bool right = true;
      for (std::size_t m = 0; m < M; ++m) {
        for (std::size_t n = 0; n < N; ++n) {
          right = right && std::isnan(c.rows()[m][n]) == (m == bad_row || n == bad_column);
        }
      }
      CHECK(right);
    }
  }
}

TEMPLATE_TEST_CASE("gemm reads A by columns with the bits that its rows give", "[kernels][gemm]", NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  for (const std::size_t M : support::Sizes{1, 2, 5, 6, 13, 16, 18, 19}) {
    for (const std::size_t N : support::Sizes{1, 7, 16, 33, 70}) {
      for (const std::size_t K : support::Sizes{1, 3, 29}) {
        INFO("M " << M << " N " << N << " K " << K);
        const Product<V> product(M, K, N);
        std::vector<T> transposed(K * M);
        for (std::size_t m = 0; m < M; ++m) {
          for (std::size_t k = 0; k < K; ++k) transposed[k * M + m] = product.a[m * K + k];
        }
        const Matrix<T> columns(transposed, M, 3);
        for (const bool accumulate : {false, true}) {
          Matrix<T> expected = product.start(1), c = product.start(1);
          kernels::gemm<V>(expected.rows(), product.a_rows.rows(), product.b(), M, K, N, {.accumulate = accumulate});
          const ndt::Columns<const T> a{columns.rows().data, columns.rows().stride};
          kernels::gemm<V>(c.rows(), a, product.b(), M, K, N, {.accumulate = accumulate});
          CHECK(support::same_bits(c.values(), expected.values()));
          CHECK(c.gaps_untouched());
        }
      }
    }
  }
}

TEMPLATE_TEST_CASE("gemm reads B as it is, row by row, with the bits that panels give, whatever pads the rows",
                   "[kernels][gemm]", NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  for (const std::size_t M : support::Sizes{1, 2, 8, 13, 50}) {
    for (const std::size_t N : support::Sizes{1, 7, 16, 33, 58, 101}) {
      for (const std::size_t K : support::Sizes{1, 3, 29, 300}) {
        INFO("M " << M << " N " << N << " K " << K);
        const Product<V> product(M, K, N);
        // All bits set between the rows and behind the last one: NaN, which would show.
        const std::size_t step = ndt::round_up(N, kernels::panel_width);
        support::Guarded<T> b(K * step);
        for (std::size_t k = 0; k < K; ++k) {
          for (std::size_t n = 0; n < N; ++n) b[k * step + n] = product.w[n * K + k];
        }
        Matrix<T> expected = product.start(1), c = product.start(1);
        kernels::gemm<V>(expected.rows(), product.a_rows.rows(), product.b(), M, K, N, {.accumulate = true});
        kernels::gemm<V>(c.rows(), ndt::Rows<const T>(product.a_rows.rows()), kernels::PaddedRows<T>{b.data(), step}, M,
                         K, N, {.accumulate = true});
        CHECK(support::same_bits(c.values(), expected.values()));
        CHECK(c.gaps_untouched());
      }
    }
  }
}

TEST_CASE("tiles are low and wide where that reads less, and much less where their chain must be cut for it",
          "[kernels][gemm]") {
  using V = ndt::simd::native<float>;
  const auto rows = [](std::size_t M, std::size_t K, std::size_t registers, bool may_cut = true) {
    return kernels::detail::tallest<V>(M, K, registers, may_cut);
  };
  const std::size_t tall = kernels::tile_limits<V>::rows;
  if (V::registers < 32) {
    CHECK(rows(50, 58, 4) == tall);
    return;
  }
  // Registers of columns as blocks of 4, or of 3: 4 as one block or two, 8 as two or three, 3 and 6 as many of both.
  for (const std::size_t M : support::Sizes{50, 128, 250}) {
    CHECK(rows(M, 58, 4) == 6);
    CHECK(rows(M, 58, 8) == 6);
    CHECK(rows(M, 58, 3) == tall);
    CHECK(rows(M, 58, 6) == tall);
  }
  // A few rows are read less often in tall tiles: 8 of them once, not twice.
  CHECK(rows(8, 58, 13) == tall);
  CHECK(rows(tall, 58, 13) == tall);
  CHECK(rows(6, 58, 4) == tall);
  // Four registers of 64 bytes may be kept for 128 steps, so 13 registers, 5 blocks or 4, are not worth a longer chain.
  if (V::width == 16) {
    CHECK(rows(202, 210, 13) == tall);
    CHECK(rows(202, 128, 13) == 6);
    CHECK(rows(128, 250, 4) == 6);
    CHECK(rows(128, 250, 4, false) == tall);
    CHECK(rows(128, 128, 4, false) == 6);
  }
}
