// The step of a decoder, of data and of types, as step_symbols.sh reads it: what does it call?
#include <ndt/ndt.hpp>

#include "tiny.hpp"

using Network = ndt::StaticTransformer<tiny::config>;
using Delayed = ndt::StaticDecoder<Network>;
using Windowed = ndt::StaticDecoder<Network, ndt::StreamConfig{.policy = ndt::StreamPolicy::windowed}>;

const ndt::StreamOutput<float>& step(ndt::DynamicDecoder<>& decoder, const std::uint8_t* counts) {
  return counts != nullptr ? decoder.step(counts) : decoder.step_missing();
}
const ndt::StreamOutput<float>& step(Delayed& decoder, const float* counts) {
  return counts != nullptr ? decoder.step(counts) : decoder.step_missing();
}
const ndt::StreamOutput<float>& step(Windowed& decoder, const int* counts) {
  return counts != nullptr ? decoder.step(counts) : decoder.step_missing();
}
const ndt::StreamOutput<float>& flush(ndt::DynamicDecoder<>& decoder) { return decoder.flush(); }
void prepare(ndt::DynamicDecoder<>& decoder) { decoder.reset(), decoder.prepare(); }
bool refit(ndt::Recalibration<ndt::DynamicDecoder<>>& recalibration, const float* behavior) {
  recalibration.observe(behavior);
  return recalibration.refit_some();
}
