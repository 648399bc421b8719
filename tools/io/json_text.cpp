// tools/io/json_text.cpp
#include "json_text.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include <nlohmann/json.hpp>

#include "bytes.hpp"

namespace tool {

namespace {

using nlohmann::json;

/// What is asked beyond the grammar, which is left for the parser to judge. A pass of its own, because a parser that is
/// given a callback searches all of the parent so far at the end of every object: minutes for the tensors that a header
/// of 16 MB can list.
class Rules : public nlohmann::json_sax<json> {
 public:
  explicit Rules(const std::string& where) : where_(where) {}

  bool start_object(std::size_t) override { return open(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (!keys_.back().insert(name).second) {
      throw Refused("JSON has key " + printable(name) + " twice", where_, "once is expected");
    }
    return true;
  }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  bool open() {
    static constexpr std::size_t deepest = 8;
    if (keys_.size() >= deepest) throw Refused("JSON is too deep", where_, "8 levels are enough");
    keys_.emplace_back();
    return true;
  }
  bool close() {
    keys_.pop_back();
    return true;
  }

  const std::string& where_;
  std::vector<std::set<std::string>> keys_;  // of everything that is open; arrays have none
};

}  // namespace

nlohmann::json parse_json(std::string_view text, const std::string& where, std::size_t base) {
  const auto place = [&](std::size_t byte) { return where + " byte " + std::to_string(base + byte); };
  // The parser takes a zero byte for the end and would not look at what follows.
  if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos) {
    throw Refused("this is not JSON", place(zero), "a character is expected");
  }
  json root;
  try {
    Rules rules(where);
    static_cast<void>(json::sax_parse(text.begin(), text.end(), &rules));
    root = json::parse(text.begin(), text.end());
  } catch (const json::parse_error& error) {
    throw Refused("this is not JSON", place(error.byte - 1), "the text that the format prescribes is expected");
  } catch (const json::out_of_range&) {
    throw Refused("JSON has a number that is too large", where, "the text that the format prescribes is expected");
  }
  if (!root.is_object()) throw Refused("this is no JSON object", where, "an object is expected");
  return root;
}

nlohmann::json& at_key(nlohmann::json& root, std::string_view key) {
  const std::size_t dot = key.find('.');
  nlohmann::json& found = root[std::string(key.substr(0, dot))];
  return dot == std::string_view::npos ? found : at_key(found, key.substr(dot + 1));
}

std::vector<JsonDifference> json_differences(const std::string& theirs, const std::string& ours,
                                             const std::string& where) {
  const nlohmann::json a = parse_json(theirs, where).flatten(), b = parse_json(ours, where).flatten();
  std::vector<JsonDifference> differences;
  const auto add = [&](const std::string& path, const std::string& in_theirs, const std::string& in_ours) {
    std::string key = path.substr(1);
    std::replace(key.begin(), key.end(), '/', '.');
    differences.push_back({printable(key), printable(in_theirs), in_ours});
  };
  for (const auto& [path, value] : b.items()) {
    const auto other = a.find(path);
    if (other == a.end()) {
      add(path, "", value.dump());
    } else if (*other != value) {
      add(path, other->dump(), value.dump());
    }
  }
  for (const auto& [path, value] : a.items()) {
    if (!b.contains(path)) add(path, value.dump(), "");
  }
  return differences;
}

}  // namespace tool
