// A layer of your own: torch.nn.GRU (one layer, one direction, state 0 at the start) on the tape. The projection of the
// input is linear() as it stands; the recurrence is an operation of its own with a backward pass written by hand.
//
//   g = h[t-1] W_hh^T + b_hh          p = x[t] W_ih^T + b_ih       both (3 H): reset, update, new
//   r = s(p_r + g_r)   z = s(p_z + g_z)   n = tanh(p_n + r g_n)   h[t] = (1 - z) n + z h[t-1]
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <ndt/train.hpp>

namespace example {

/// The parameters of a GRU under PyTorch's names, to be put into a list of parameters.
inline std::vector<ndt::Parameter> gru_parameters(std::size_t inputs, std::size_t units) {
  const auto matrix = [](const char* name, std::size_t rows, std::size_t columns) {
    return ndt::Parameter{.name = name, .extents = ndt::Extents(rows, columns), .layout = ndt::Layout::panels};
  };
  const auto vector = [](const char* name, std::size_t size) {
    return ndt::Parameter{.name = name, .extents = ndt::Extents(size)};
  };
  return {matrix("weight_ih_l0", 3 * units, inputs), matrix("weight_hh_l0", 3 * units, units),
          vector("bias_ih_l0", 3 * units), vector("bias_hh_l0", 3 * units)};
}

/// What the backward pass needs of the forward pass; rows are (trials * bins).
template <class T>
struct GruMemory {
  ndt::Rows<T> before;                    ///< h[t-1], (H)
  ndt::Rows<T> reset, update, fresh, gn;  ///< r, z, n and g_n, (H) each
};

/// h(trials * bins, H) from p(trials * bins, 3 H); `weight` and `bias` are the places of W_hh and b_hh.
template <class V>
ndt::Variable<typename V::value_type>* gru_recurrence(ndt::Tape<V>& tape, ndt::Variable<typename V::value_type>* p,
                                                      std::size_t weight, std::size_t bias, std::size_t bins) {
  using T = typename V::value_type;
  const auto w = tape.weight(weight), b = tape.weight(bias);
  const std::size_t H = w.columns, trials = p->rows / bins;
  ndt::Variable<T>* const h = tape.variable(p->rows, H);
  const auto rows = [&](std::size_t columns) {
    const std::size_t stride = ndt::round_up(columns, ndt::kernels::panel_width);
    return ndt::Rows<T>{tape.template take<T>(p->rows * stride), stride};
  };
  const GruMemory<T> memory{rows(H), rows(H), rows(H), rows(H), rows(H)};
  const ndt::Rows<T> g = rows(3 * H);

  // Row t of every trial at once: rows of a matrix that lie `bins` apart.
  const auto at = [bins](auto all, std::size_t t) { return decltype(all){all[t], all.stride * bins}; };
  for (std::size_t t = 0; t < bins; ++t) {
    const ndt::Rows<T> before = at(memory.before, t), gt = at(g, t);
    for (std::size_t i = 0; i < trials; ++i) {
      if (t == 0) {
        std::fill_n(before[i], H, T(0));
      } else {
        ndt::kernels::copy<V>(before[i], at(h->value, t - 1)[i], H);
      }
    }
    ndt::kernels::gemm<V>(gt, before, {w.packed, H * ndt::kernels::panel_width}, trials, H, 3 * H, {.bias = b.packed});
    for (std::size_t i = 0; i < trials; ++i) {
      const std::size_t row = i * bins + t;
      const T *const pr = p->value[row], *const gr = g[row], *const last = memory.before[row];
      ndt::kernels::for_lanes<V>(H, [&](std::size_t k, auto lanes) {
        const auto r = ndt::kernels::sigmoid<V>(V::load(pr + k, lanes) + V::load(gr + k, lanes));
        const auto z = ndt::kernels::sigmoid<V>(V::load(pr + H + k, lanes) + V::load(gr + H + k, lanes));
        const auto gn = V::load(gr + 2 * H + k, lanes);
        const auto n = ndt::kernels::tanh<V>(V::fma(r, gn, V::load(pr + 2 * H + k, lanes)));
        V::store(memory.reset[row] + k, r, lanes);
        V::store(memory.update[row] + k, z, lanes);
        V::store(memory.fresh[row] + k, n, lanes);
        V::store(memory.gn[row] + k, gn, lanes);
        V::store(h->value[row] + k, V::fma(z, V::load(last + k, lanes) - n, n), lanes);
      });
    }
  }

  tape.record(h, [&tape, p, h, w, b, memory, g, bins, trials, H, at] {
    const auto sink = tape.sink(p);
    const ndt::Rows<T> dp = sink.rows;
    // g is not needed any more: its memory takes its gradient, and h's gradient the sum over all paths.
    for (std::size_t t = bins; t-- > 0;) {
      for (std::size_t i = 0; i < trials; ++i) {
        const std::size_t row = i * bins + t;
        T* const dg = g[row];
        const T* const last = memory.before[row];
        T* const earlier = t > 0 ? h->gradient[row - 1] : nullptr;
        ndt::kernels::for_lanes<V>(H, [&](std::size_t k, auto lanes) {
          const auto one = V::set(T(1));
          const auto dh = V::load(h->gradient[row] + k, lanes), r = V::load(memory.reset[row] + k, lanes),
                     z = V::load(memory.update[row] + k, lanes), n = V::load(memory.fresh[row] + k, lanes);
          const auto dn = dh * (one - z) * (one - n * n);
          const auto dz = dh * (V::load(last + k, lanes) - n) * z * (one - z);
          const auto dr = dn * V::load(memory.gn[row] + k, lanes) * r * (one - r);
          V::store(dg + k, dr, lanes), V::store(dg + H + k, dz, lanes), V::store(dg + 2 * H + k, dn * r, lanes);
          const auto put = [&](std::size_t part, auto d) {
            ndt::kernels::store_or_add<V>(dp[row] + part * H + k, d, lanes, sink.accumulate);
          };
          put(0, dr), put(1, dz), put(2, dn);
          if (earlier != nullptr) V::store(earlier + k, V::fma(dh, z, V::load(earlier + k, lanes)), lanes);
        });
      }
      if (t > 0) {
        ndt::kernels::gemm<V>(at(h->gradient, t - 1), at(g, t), w.transposed, trials, 3 * H, H, {.accumulate = true});
      }
    }
    ndt::kernels::add_column_sums<V>(b.gradient, g, p->rows, 3 * H);
    ndt::kernels::add_outer_products<V>({w.gradient, H}, g, memory.before, p->rows, 3 * H, H);
  });
  return h;
}

/// h(trials * bins, H) from x(trials * bins, inputs). `first`: the place of gru_parameters() in the list.
template <class V>
ndt::Variable<typename V::value_type>* gru(ndt::Tape<V>& tape, ndt::Variable<typename V::value_type>* x,
                                           std::size_t first, std::size_t bins) {
  return gru_recurrence(tape, ndt::linear(tape, x, first, first + 2), first + 1, first + 3, bins);
}

}  // namespace example
