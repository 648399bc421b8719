// tools/cli/policies.hpp: names of the ways to serve a stream.
#pragma once

#include <map>
#include <string>

#include <ndt/stream/config.hpp>

namespace tool {

inline const std::map<std::string, ndt::StreamPolicy> policies = {{"delayed", ndt::StreamPolicy::delayed},
                                                                  {"immediate", ndt::StreamPolicy::immediate},
                                                                  {"windowed", ndt::StreamPolicy::windowed}};
inline const std::map<std::string, ndt::PastEnd> past_ends = {
    {"stop", ndt::PastEnd::stop}, {"restart", ndt::PastEnd::restart}, {"windowed", ndt::PastEnd::windowed}};

}  // namespace tool
