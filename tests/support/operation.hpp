// An operation of the tape, held against central differences.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <ndt/autograd/tape.hpp>

#include "catch.hpp"
#include "noise.hpp"

namespace support {

inline ndt::Parameter matrix(const std::string& name, std::size_t rows, std::size_t columns) {
  return {.name = name, .extents = ndt::Extents(rows, columns), .layout = ndt::Layout::panels};
}
inline ndt::Parameter vector(const std::string& name, std::size_t size) {
  return {.name = name, .extents = ndt::Extents(size)};
}

/// A function of some inputs and parameters, and its value folded with fixed numbers to one.
template <class V>
class Operation {
 public:
  using T = typename V::value_type;
  using Variables = std::vector<ndt::Variable<T>*>;
  using Build = std::function<ndt::Variable<T>*(ndt::Tape<V>&, const Variables&)>;

  /// inputs: rows and columns of each. Two trials, so rows must be even where an operation asks for trials.
  Operation(std::vector<ndt::Parameter> list, const std::vector<std::pair<std::size_t, std::size_t>>& inputs,
            Build build)
      : parameters_(std::move(list)), build_(std::move(build)), tape_(parameters_), trials_{4, 9} {
    for (const ndt::Parameter& p : parameters_.list()) {
      const std::vector<T> numbers = noise<T>(parameters_.value(p).size(), 10 + p.value, T(0), T(0.7));
      std::copy(numbers.begin(), numbers.end(), parameters_.value(p).begin());
    }
    for (const auto& [rows, columns] : inputs) {
      inputs_.push_back({rows, columns, noise<T>(rows * columns, inputs_.size() + 1, T(0), T(1))});
    }
  }

  /// Checks the gradients of all inputs and parameters.
  void check() {
    run(true);
    std::vector<std::vector<T>> of_inputs;
    for (std::size_t k = 0; k < inputs_.size(); ++k) {
      of_inputs.emplace_back();
      for (std::size_t m = 0; m < inputs_[k].rows; ++m) {
        const T* const row = variables_[k]->gradient[m];
        of_inputs[k].insert(of_inputs[k].end(), row, row + inputs_[k].columns);
      }
    }
    const std::vector<T> of_parameters = gradient_;
    for (std::size_t k = 0; k < inputs_.size(); ++k) {
      INFO("input " << k);
      compare(inputs_[k].values, of_inputs[k]);
    }
    for (const ndt::Parameter& p : parameters_.list()) {
      if (!p.trained) continue;
      INFO(p.name);
      const auto first = of_parameters.begin() + static_cast<std::ptrdiff_t>(p.value);
      compare(parameters_.value(p), {first, first + static_cast<std::ptrdiff_t>(p.extents.count())});
    }
  }

 private:
  struct Input {
    std::size_t rows, columns;
    std::vector<T> values;
  };

  double run(bool backward) {
    parameters_.repack();
    gradient_.assign(parameters_.trained_size(), T(0));
    tape_.start(gradient_.data(), {.seed = 3, .step = 1, .trials = trials_});
    variables_.clear();
    for (const Input& input : inputs_) {
      ndt::Variable<T>* const x = tape_.variable(input.rows, input.columns);
      for (std::size_t m = 0; m < input.rows; ++m) {
        std::copy_n(input.values.begin() + static_cast<std::ptrdiff_t>(m * input.columns), input.columns, x->value[m]);
      }
      variables_.push_back(x);
    }
    ndt::Variable<T>* const y = build_(tape_, variables_);
    const std::vector<T> weights = noise<T>(y->rows * y->columns, 99);
    double sum = 0;
    if (backward) tape_.sink(y);
    for (std::size_t m = 0; m < y->rows; ++m) {
      for (std::size_t n = 0; n < y->columns; ++n) {
        sum += static_cast<double>(weights[m * y->columns + n] * y->value[m][n]);
        if (backward) y->gradient[m][n] = weights[m * y->columns + n];
      }
    }
    if (backward) tape_.backward();
    return sum;
  }

  void compare(std::span<T> values, const std::vector<T>& analytic) {
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const T x = values[i], h = T(1e-5);
      values[i] = x + h;
      const double above = run(false);
      values[i] = x - h;
      const double below = run(false);
      values[i] = x;
      const double numeric = (above - below) / (2 * h);
      if (!(std::abs(numeric - analytic[i]) < 5e-8 * (1 + std::abs(numeric)))) {
        UNSCOPED_INFO("element " << i << ": " << analytic[i] << ", numerically " << numeric);
        ++wrong;
      }
    }
    CHECK(wrong == 0);
  }

  ndt::Parameters<T> parameters_;
  Build build_;
  ndt::Tape<V> tape_;
  std::vector<std::uint32_t> trials_;
  std::vector<Input> inputs_;
  std::vector<T> gradient_;
  Variables variables_;
};

}  // namespace support
