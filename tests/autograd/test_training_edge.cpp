// The edge that products of training have, beside that of inference: the same numbers, and a factor.
#include <vector>

#include "../support/policies.hpp"
#include "../support/product.hpp"
#include "../support/widths.hpp"

namespace kernels = ndt::kernels;
using support::all_uses;
using support::Matrix;
using support::Product;
using support::Residual;
using support::Use;

TEMPLATE_TEST_CASE("gemm of training has the bits of inference, for every edge, tile and cut", "[kernels][gemm]",
                   NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  for (const std::size_t M : support::Sizes{1, 2, 8, 13, 50}) {
    for (const std::size_t N : support::Sizes{1, 16, 58, 101}) {
      for (const std::size_t K : support::Sizes{3, 300}) {
        const Product<V> product(M, K, N);
        for (const Use& use : all_uses()) {
          INFO("M " << M << " N " << N << " K " << K << " accumulate " << use.accumulate << " bias " << use.bias);
          auto inference = product.start(1), training = product.start(1);
          kernels::gemm<V>(inference.rows(), product.a_rows.rows(), product.b(), M, K, N, product.edge(use, inference));
          kernels::gemm<V>(training.rows(), product.a_rows.rows(), product.b(), M, K, N,
                           kernels::TrainingEdge<T>{product.edge(use, training)});
          CHECK(support::same_bits(training.values(), inference.values()));
          CHECK(training.gaps_untouched());
        }
      }
    }
  }
}

TEMPLATE_TEST_CASE("a factor at the edge multiplies what the bias was added to, and not the residual",
                   "[kernels][gemm]", NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  for (const std::size_t M : support::Sizes{1, 2, 8, 13, 50}) {
    for (const std::size_t N : support::Sizes{1, 7, 16, 33, 58, 101}) {
      for (const std::size_t K : support::Sizes{1, 29, 300}) {
        INFO("M " << M << " N " << N << " K " << K);
        const Product<V> product(M, K, N);
        const std::vector<T> numbers = support::noise<T>(M * N, 9);
        const Matrix<T> factor(numbers, N, 5);
        for (const Use& use : all_uses()) {
          // Up to the bias the very same product, then a product and a sum of single elements.
          auto plain = product.start(1), c = product.start(1);
          const Use begin{.accumulate = use.accumulate, .bias = use.bias};
          kernels::gemm<V>(plain.rows(), product.a_rows.rows(), product.b(), M, K, N, product.edge(begin, plain));
          kernels::TrainingEdge<T> edge{product.edge(use, c)};
          edge.factor = factor.rows();
          kernels::gemm<V>(c.rows(), product.a_rows.rows(), product.b(), M, K, N, edge);
          const std::vector<T> first = plain.values(), result = c.values();
          bool right = true;
          for (std::size_t i = 0; i < result.size(); ++i) {
            volatile T expected = first[i] * numbers[i];
            if (use.residual == Residual::other) expected = expected + product.residual[i];
            if (use.residual == Residual::self) expected = expected + product.before[i];
            if (use.relu && expected < 0) expected = 0;
            right = right && result[i] == expected;
          }
          CHECK(right);
          CHECK(c.gaps_untouched());
        }
      }
    }
  }
}
