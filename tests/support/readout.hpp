// A random read-out of a model, and what it must give, in double.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include <ndt/ndt.hpp>

#include "noise.hpp"
#include "stream.hpp"

namespace support {

template <class V>
struct RandomReadout {
  using T = typename V::value_type;
  ndt::ReadoutConfig config;
  std::map<std::string, std::vector<T>, std::less<>> tensors;
  std::vector<T> packed;

  /// For `model`: its fingerprint is put into the configuration. Gains are small, so that nothing grows.
  RandomReadout(const ndt::DynamicTransformer<V>& model, ndt::ReadoutConfig c, std::uint64_t seed = 1) : config(c) {
    config.fingerprint = ndt::fingerprint(model);
    const std::size_t n = c.outputs, inputs = c.inputs(model.config());
    const auto add = [&](const char* name, std::size_t count, T spread) {
      tensors[name] = noise<T>(count, seed + tensors.size(), T(0), spread);
    };
    add("readout.weight", n * inputs, T(0.3)), add("readout.bias", n, T(1));
    if (c.kind == ndt::ReadoutKind::kalman)
      add("readout.gain", c.gains * 2 * n * n, T(0.4)), add("readout.mean", n, T(9));
    packed.resize(ndt::readout_packed_size<V>(config, model.config()));
    status = ndt::pack_readout<V>(std::span<T>(packed), config, model.config(), [&](std::string_view name) {
      ndt::StoredTensor<T> stored;
      const auto found = tensors.find(name);
      if (found == tensors.end()) return stored;
      stored.values = found->second.data();
      stored.extents = name == "readout.weight" ? ndt::Extents(n, inputs)
                       : name == "readout.gain" ? ndt::Extents(c.gains, n, 2 * n)
                                                : ndt::Extents(n);
      return stored;
    });
  }
  ndt::Status status;

  /// Behaviour for every bin of a trial of features [bins][width].
  std::vector<std::vector<double>> expected(const std::vector<std::vector<T>>& features) const {
    const std::size_t n = config.outputs;
    const auto number = [&](const char* name, std::size_t i) { return static_cast<double>(tensors.at(name)[i]); };
    std::vector<std::vector<double>> all;
    std::vector<double> state(n);
    for (std::size_t t = 0; t < features.size(); ++t) {
      std::vector<double> line(n), next(n);
      for (std::size_t o = 0; o < n; ++o) {
        line[o] = number("readout.bias", o);
        for (std::size_t h = 0; h < config.history; ++h) {
          const std::size_t back = config.history - 1 - h, width = features[t].size();
          const std::vector<T>& row = features[t < back ? 0 : t - back];
          for (std::size_t i = 0; i < width; ++i) {
            line[o] += number("readout.weight", (o * config.history + h) * width + i) * static_cast<double>(row[i]);
          }
        }
      }
      if (config.kind == ndt::ReadoutKind::ridge) {
        all.push_back(line);
        continue;
      }
      for (std::size_t o = 0; o < n; ++o) {
        const std::size_t gain = (std::min(t, config.gains - 1) * n + o) * 2 * n;
        for (std::size_t j = 0; j < n; ++j) {
          next[o] += number("readout.gain", gain + j) * state[j] + number("readout.gain", gain + n + j) * line[j];
        }
      }
      state = next;
      for (std::size_t o = 0; o < n; ++o) next[o] += number("readout.mean", o);
      all.push_back(next);
    }
    return all;
  }
};

}  // namespace support
