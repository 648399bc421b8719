// tools/io/header_writer.cpp: a model as C++ source, for machines without files.
#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

#include "bytes.hpp"
#include "model_file.hpp"
#include "output_file.hpp"

namespace tool {

namespace {

/// Keywords of C++20 and their alternative spellings, the namespaces that the header itself needs, and what GCC and
/// Clang define as macros unless told to keep to the standard.
constexpr std::array taken = {"alignas",
                              "alignof",
                              "and",
                              "and_eq",
                              "asm",
                              "auto",
                              "bitand",
                              "bitor",
                              "bool",
                              "break",
                              "case",
                              "catch",
                              "char",
                              "char16_t",
                              "char32_t",
                              "char8_t",
                              "class",
                              "co_await",
                              "co_return",
                              "co_yield",
                              "compl",
                              "concept",
                              "const",
                              "const_cast",
                              "consteval",
                              "constexpr",
                              "constinit",
                              "continue",
                              "decltype",
                              "default",
                              "delete",
                              "do",
                              "double",
                              "dynamic_cast",
                              "else",
                              "enum",
                              "explicit",
                              "export",
                              "extern",
                              "false",
                              "float",
                              "for",
                              "friend",
                              "goto",
                              "if",
                              "inline",
                              "int",
                              "linux",
                              "long",
                              "main",
                              "mutable",
                              "namespace",
                              "ndt",
                              "new",
                              "noexcept",
                              "not",
                              "not_eq",
                              "nullptr",
                              "operator",
                              "or",
                              "or_eq",
                              "posix",
                              "private",
                              "protected",
                              "public",
                              "register",
                              "reinterpret_cast",
                              "requires",
                              "return",
                              "short",
                              "signed",
                              "sizeof",
                              "static",
                              "static_assert",
                              "static_cast",
                              "std",
                              "struct",
                              "switch",
                              "template",
                              "this",
                              "thread_local",
                              "throw",
                              "true",
                              "try",
                              "typedef",
                              "typeid",
                              "typename",
                              "union",
                              "unix",
                              "unsigned",
                              "using",
                              "virtual",
                              "void",
                              "volatile",
                              "wchar_t",
                              "while",
                              "xor",
                              "xor_eq",
                              "xsimd"};

void check_name(const std::string& name) {
  const auto refuse = [&](const std::string& what) {
    throw Refused(what, "name of the model", "a C++ identifier for the namespace is expected: --name ID");
  };
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (name.empty()) refuse("the model has no name");
  if (!is_letter(name[0]) ||
      !std::all_of(name.begin(), name.end(), [&](char c) { return is_letter(c) || is_digit(c); })) {
    refuse("'" + printable(name) + "' is no identifier");
  }
  if (name[0] == '_' || name.find("__") != std::string::npos ||
      std::find(taken.begin(), taken.end(), std::string_view(name)) != taken.end()) {
    refuse("'" + printable(name) + "' is a reserved name");
  }
}

std::string config_source(const ndt::ModelConfig& c) {
  std::string text = "inline constexpr ndt::ModelConfig config = {\n";
  const auto field = [&](const char* name, const auto& value) { text += fmt::format("    .{} = {},\n", name, value); };
  // In the order of their declaration.
  field("neurons", c.neurons);
  field("trial_length", c.trial_length);
  field("layers", c.layers);
  field("heads", c.heads);
  field("hidden_size", c.hidden_size);
  field("embed_dim", c.embed_dim);
  field("max_spikes", c.max_spikes);
  field("decoder_layers", c.decoder_layers);
  field("context_forward", c.context_forward);
  field("context_backward", c.context_backward);
  field("full_context", c.full_context);
  field("context_wrap_initial", c.context_wrap_initial);
  field("linear_embedder", c.linear_embedder);
  field("learnable_position", c.learnable_position);
  field("position_offset", c.position_offset);
  field("pre_norm", c.pre_norm);
  field("scale_norm", c.scale_norm);
  field("lograte", c.lograte);
  field("activation", c.activation == ndt::Activation::gelu ? "ndt::Activation::gelu" : "ndt::Activation::relu");
  field("norm_epsilon", c.norm_epsilon);
  return text + "};\n";
}

}  // namespace

void write_header(const ModelFile& model, const std::filesystem::path& path) {
  check_name(model.name);
  const std::vector<float> packed = pack(model, path);
  std::string text = "// A Neural Data Transformer with its weights, written by `ndt convert`.\n";
  text += fmt::format("//   ndt::StaticTransformer<{0}::config> model{{{0}::packed}};\n", model.name);
  text += "#pragma once\n\n#include <ndt/ndt.hpp>\n\nnamespace " + model.name + " {\n\n";
  text += config_source(model.config) + "\n";
  if (model.bin_width) text += fmt::format("inline constexpr double bin_width = {};  // seconds\n\n", *model.bin_width);
  text += "// In the library's packed layout. Hexadecimal, so that every bit survives.\n";
  text += fmt::format("alignas({}) inline constexpr float packed[{}] = {{", ndt::alignment_bytes, packed.size());
  auto out = std::back_inserter(text);
  for (std::size_t i = 0; i < packed.size(); ++i) {
    fmt::format_to(out, "{}", i % 8 == 0 ? "\n    " : " ");
    if (packed[i] == 0.0f && !std::signbit(packed[i])) {
      fmt::format_to(out, "0,");  // padding, mostly
    } else {
      fmt::format_to(out, "{:a}f,", packed[i]);
    }
  }
  text += "\n};\n\n}  // namespace " + model.name + "\n";
  OutputFile file(path);
  file.write(text.data(), text.size());
  file.commit();
}

}  // namespace tool
