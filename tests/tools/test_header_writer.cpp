// A model as C++ source. (That the compiler takes it is shown where the build makes one.)
#include <cstdlib>

#include "../../tools/io/model_file.hpp"
#include "../support/catch.hpp"
#include "../support/static_shapes.hpp"
#include "../support/torch_writer.hpp"
#include "says.hpp"

using support::refusal;
using support::says;

namespace {

tool::ModelFile base_model() {
  tool::ModelFile model = tool::parse_model(support::TorchCheckpoint(support::base_config()).zip(), "m.pth");
  model.name = "base";
  return model;
}

}  // namespace

TEST_CASE("a header holds shape, weights to the bit and bin width", "[tools][header]") {
  const support::TemporaryFolder folder;
  tool::ModelFile model = base_model();
  model.bin_width = 0.02;
  float& odd = model.tensors.at("decoder.0.bias").values[0];
  odd = 0x1.fffffep-127f;  // subnormal
  model.tensors.at("decoder.0.bias").values[1] = -0.0f;
  tool::write_header(model, folder / "base.hpp");
  const std::string text = support::contents(folder / "base.hpp");
  CHECK(says(text, "#pragma once", "#include <ndt/ndt.hpp>", "namespace base {",
             "inline constexpr ndt::ModelConfig config", ".neurons = 7,", ".pre_norm = true,",
             ".activation = ndt::Activation::relu,", ".norm_epsilon = 1e-05,",
             "inline constexpr double bin_width = 0.02;", "alignas(64) inline constexpr float packed["));
  const std::vector<float> packed = tool::pack(model, "m.pth");
  std::vector<float> back;
  const char* at = text.c_str() + text.find("= {", text.find("packed[")) + 3;
  for (char* end = nullptr;; at = end + 1) {
    const float value = std::strtof(at, &end);
    if (end == at) break;
    back.push_back(value);
    if (*end == 'f') ++end;
  }
  REQUIRE(back.size() == packed.size());
  CHECK(std::memcmp(back.data(), packed.data(), packed.size() * sizeof(float)) == 0);
  CHECK(folder.entries() == 1);
}

TEST_CASE("a name that is no free identifier is refused and nothing written", "[tools][header]") {
  const support::TemporaryFolder folder;
  tool::ModelFile model = base_model();
  for (const char* const name :
       {"",          "7up",     "a b",        "a-b",   "class",  "co_await", "ndt",    "std",    "_x",    "a__b",
        "f\xc3\xbc", "a\n",     "NULL",       "errno", "assert", "EOF",      "stdin",  "EDOM",   "E2BIG", "INT_MAX",
        "SIGINT",    "UINT8_C", "NDT_INLINE", "exp",   "time",   "y0",       "printf", "size_t", "linux"}) {
    INFO(name);
    model.name = name;
    CHECK(says(refusal([&] { tool::write_header(model, folder / "m.hpp"); }), "name", "identifier"));
  }
  CHECK(folder.entries() == 0);
  for (const char* const name : {"a", "Lorenz_2", "classes", "LORENZ", "E", "Eric", "Int", "M1", "ex", "x"}) {
    model.name = name;
    CHECK(refusal([&] { tool::write_header(model, folder / "m.hpp"); }).empty());
  }
}

TEST_CASE("a model that does not hold together is not written", "[tools][header]") {
  const support::TemporaryFolder folder;
  tool::ModelFile model = base_model();
  model.tensors.erase("decoder.0.bias");
  CHECK(says(refusal([&] { tool::write_header(model, folder / "m.hpp"); }), "missing", "decoder.0.bias"));
  model.config.heads = 0;
  CHECK(says(refusal([&] { tool::write_header(model, folder / "m.hpp"); }), "zero", "heads"));
  CHECK(folder.entries() == 0);
}
