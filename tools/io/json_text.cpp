// tools/io/json_text.cpp
#include "json_text.hpp"

#include <set>
#include <vector>

#include <nlohmann/json.hpp>

#include "bytes.hpp"

namespace tool {

nlohmann::json parse_json(std::string_view text, const std::string& where, std::size_t base) {
  static constexpr std::size_t deepest = 8;
  std::vector<std::set<std::string>> keys;  // of every object that is open
  const auto watch = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    using Event = nlohmann::json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) {
      if (static_cast<std::size_t>(depth) >= deepest) throw Refused("JSON is too deep", where, "8 levels are enough");
    }
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key && !keys.back().insert(parsed.get<std::string>()).second) {
      throw Refused("JSON has key " + printable(parsed.get<std::string>()) + " twice", where, "once is expected");
    }
    return true;
  };
  // The parser takes a zero byte for the end and would not look at what follows.
  if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos) {
    throw Refused("this is not JSON", where + " byte " + std::to_string(base + zero), "a character is expected");
  }
  nlohmann::json root;
  try {
    root = nlohmann::json::parse(text.begin(), text.end(), watch);
  } catch (const nlohmann::json::parse_error& error) {
    throw Refused("this is not JSON", where + " byte " + std::to_string(base + error.byte - 1),
                  "the text that the format prescribes is expected");
  } catch (const nlohmann::json::out_of_range&) {
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

}  // namespace tool
