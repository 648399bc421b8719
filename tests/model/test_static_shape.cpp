// A shape in a type and a shape in data: one source, the same bits.
#include "../support/catch.hpp"
#include "../support/golden.hpp"
#include "../support/run.hpp"
#include "../support/static_shapes.hpp"

TEMPLATE_TEST_CASE("static and dynamic shapes give the same bits", "[model][static]", support::Base,
                   support::CountsAsInput, support::LinearEmbedder, support::ScaleNormAfter, support::WrappedContext,
                   support::FullContext, support::WideHeads, support::ManySwitches) {
  using V = ndt::simd::native<float>;
  using Static = ndt::Transformer<ndt::StaticShape<TestType::config>, V>;
  const support::Golden golden = support::golden(TestType::name);
  REQUIRE(golden.config() == TestType::config);
  const auto packed = golden.packed<V>();
  REQUIRE(packed.size() == Static{}.packed_size());

  const Static fixed{std::span<const float, Static{}.packed_size()>(packed)};
  ndt::DynamicTransformer<V> dynamic;
  REQUIRE(dynamic.bind({golden.config()}, packed).ok());
  const auto& counts = golden["counts"];
  const std::size_t trials = counts.extents.size[0], bins = counts.extents.size[1];
  CHECK(support::run(fixed, counts.integers, trials, bins) == support::run(dynamic, counts.integers, trials, bins));
  CHECK(Static{}.workspace_size(bins) == dynamic.workspace_size(bins));
}

TEST_CASE("the scalar policy gives the same bits from both kinds of shape", "[model][static]") {
  using V = ndt::simd::scalar<float>;
  using Static = ndt::StaticTransformer<support::WideHeads::config, V>;
  const support::Golden golden = support::golden(support::WideHeads::name);
  const auto packed = golden.packed<V>();
  const Static fixed{std::span<const float, Static{}.packed_size()>(packed)};
  ndt::DynamicTransformer<V> dynamic;
  REQUIRE(dynamic.bind({golden.config()}, packed).ok());
  CHECK(support::run(fixed, golden["counts"].integers, 2, 37) ==
        support::run(dynamic, golden["counts"].integers, 2, 37));
}

namespace {

using Model = ndt::StaticTransformer<support::base_config()>;
alignas(64) constexpr float zero_weights[Model{}.packed_size()] = {};
constexpr float too_many_weights[Model{}.packed_size() + 16] = {};
constinit const Model model_in_flash{zero_weights};
constinit ndt::StaticWorkspace<Model> static_workspace;

}  // namespace

TEST_CASE("a static model is a pointer, and what does not fit its type does not compile", "[model][static]") {
  STATIC_REQUIRE(sizeof(Model) == sizeof(void*));
  STATIC_REQUIRE(std::is_trivially_copyable_v<Model>);
  STATIC_REQUIRE(std::is_constructible_v<Model, decltype((zero_weights))>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<Model, decltype((too_many_weights))>);
  STATIC_REQUIRE(sizeof(static_workspace) == ndt::round_up(Model{}.workspace_bytes(11), 64));

  float log_rates[77];
  const std::uint8_t counts[77] = {};
  model_in_flash.forward({.log_rates = log_rates}, counts, 1, 11, static_workspace);
  CHECK(std::all_of(std::begin(log_rates), std::end(log_rates), [](float r) { return r == 0.0f; }));
}
