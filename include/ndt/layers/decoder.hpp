// ndt/layers/decoder.hpp: hidden states to log rates, or to rates when LOGRATE is off.
#pragma once

#include <cstddef>

#include "ndt/config.hpp"
#include "ndt/core/dim.hpp"
#include "ndt/core/view.hpp"
#include "ndt/layers/linear.hpp"
#include "ndt/model/config.hpp"

namespace ndt::inline NDT_TARGET {

/// One linear layer, or two with 16 units and a ReLU between them. A model of rates ends in a ReLU.
template <class V, class Shape>
struct Decoder {
  using T = typename V::value_type;
  using Width = decltype(Shape{}.width());
  using Neurons = decltype(Shape{}.neurons());
  using Middle = Dim<ModelConfig::decoder_hidden>;

  [[no_unique_address]] Shape shape;
  Linear<V, Width, Neurons> single;   ///< decoder.0 of a decoder of one layer
  Linear<V, Width, Middle> first;     ///< decoder.0 and
  Linear<V, Middle, Neurons> second;  ///< decoder.2 of a decoder of two

  constexpr explicit Decoder(const Shape& s) noexcept
      : shape(s), single(s.width(), s.neurons()), first(s.width(), Middle{}), second(Middle{}, s.neurons()) {}

  template <class F, class Path>
  constexpr void visit_tensors(F&& f, const Path& root) {
    if (shape.config.has_deep_decoder()) {
      first.visit_tensors(f, root + "decoder.0");
      second.visit_tensors(f, root + "decoder.2");
    } else {
      single.visit_tensors(f, root + "decoder.0");
    }
  }

  /// y(bins, neurons) from x(bins, width). spare: (bins, 16).
  void forward(Rows<T> y, Rows<const T> x, Rows<T> spare, std::size_t bins) const noexcept {
    const bool relu = !shape.config.lograte;
    if (shape.config.has_deep_decoder()) {
      first.forward(spare, x, bins, {.relu = true});
      second.forward(y, spare, bins, {.relu = relu});
    } else {
      single.forward(y, x, bins, {.relu = relu});
    }
  }
};

}  // namespace ndt::inline NDT_TARGET
