// ndt/metrics/rows.hpp: the arrays that metrics look at: rows of numbers that somebody else owns, one row a bin.
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "ndt/config.hpp"

namespace ndt::inline NDT_TARGET::metrics {

/// A set of rows of equal length: size() rows of `columns` numbers, row i at [i].
template <class R>
concept RowSet = requires(const R& rows, std::size_t i) {
  { rows.size() } -> std::same_as<std::size_t>;
  { rows.columns } -> std::convertible_to<std::size_t>;
  { static_cast<double>(rows[i][i]) } -> std::same_as<double>;
};

/// Values [trials, bins, columns] in C order, or a part of such an array. Its rows are the bins of one trial after the
/// other. Numbers of any type; all metrics compute in double.
template <class T>
struct Trials {
  const T* data = nullptr;
  std::size_t trials = 0, bins = 0, columns = 0;
  std::size_t trial_stride = 0, bin_stride = 0;  ///< elements from one trial, or bin, to the next

  constexpr Trials() noexcept = default;
  constexpr Trials(const T* values, std::size_t trial_count, std::size_t bin_count, std::size_t column_count) noexcept
      : data(values),
        trials(trial_count),
        bins(bin_count),
        columns(column_count),
        trial_stride(bin_count * column_count),
        bin_stride(column_count) {}
  /// A matrix [rows, columns]: one trial.
  constexpr Trials(const T* values, std::size_t rows, std::size_t column_count) noexcept
      : Trials(values, 1, rows, column_count) {}

  constexpr std::size_t size() const noexcept { return trials * bins; }
  constexpr const T* operator[](std::size_t row) const noexcept { return at(row / bins, row % bins); }
  constexpr const T* at(std::size_t trial, std::size_t bin) const noexcept {
    return data + trial * trial_stride + bin * bin_stride;
  }

  /// The bins first ... first + count - 1 of every trial.
  constexpr Trials bin_range(std::size_t first, std::size_t count) const noexcept {
    Trials part = *this;
    part.data += first * bin_stride;
    part.bins = count;
    return part;
  }
  /// The columns first ... first + count - 1 of every row.
  constexpr Trials column_range(std::size_t first, std::size_t count) const noexcept {
    Trials part = *this;
    part.data += first;
    part.columns = count;
    return part;
  }
};

/// Rows picked from anywhere, such as the bins that have behaviour.
template <class T>
struct Picked {
  std::span<const T* const> rows;
  std::size_t columns = 0;

  constexpr std::size_t size() const noexcept { return rows.size(); }
  constexpr const T* operator[](std::size_t row) const noexcept { return rows[row]; }
  constexpr Picked range(std::size_t first, std::size_t count) const { return {rows.subspan(first, count), columns}; }
};

template <RowSet R>
auto all_rows(const R& rows) {
  std::vector<decltype(rows[0])> all(rows.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = rows[i];
  return all;
}

/// Whether a row has no NaN.
template <class T>
bool is_complete(const T* row, std::size_t columns) {
  for (std::size_t c = 0; c < columns; ++c) {
    if (std::isnan(static_cast<double>(row[c]))) return false;
  }
  return true;
}

/// What all metrics do with arguments that have no answer: std::invalid_argument. A value that is merely undefined,
/// such as bits per spike without a spike, is NaN instead.
inline void require(bool holds, const char* what) {
  if (!holds) throw std::invalid_argument(what);
}

/// Throws unless both have as many rows and columns.
template <RowSet A, RowSet B>
void require_same_shape(const A& a, const B& b, const char* what) {
  if (a.size() == b.size() && a.columns == b.columns) return;
  const auto text = [](const auto& rows) {
    return std::to_string(rows.size()) + " rows of " + std::to_string(rows.columns);
  };
  throw std::invalid_argument(std::string(what) + ": " + text(a) + " against " + text(b));
}

}  // namespace ndt::inline NDT_TARGET::metrics
