#pragma once

#include <array>
#include <cmath>
#include <string>

#include "controller/program/aiwanctl/answer.h"
#include "core/random.h"

namespace wan::test {

/// Any JSON, of keys that views ask for as well as of others, and of texts that try to break a terminal or a file.
inline aiwanctl::Json any_json(Rng& random, int depth = 0) {
  using aiwanctl::Json;
  static const std::array<std::string, 24> kTexts{"",
                                                  "auto",
                                                  "yes",
                                                  "null",
                                                  "2026-11-22T05:00:00Z",
                                                  "1e3",
                                                  "0x10",
                                                  "a: b",
                                                  "- x",
                                                  "#c",
                                                  "'",
                                                  "\"",
                                                  "x\ny\n",
                                                  " lead\nmore\n",
                                                  "tail \n",
                                                  "\x1b[31mred",
                                                  "\t",
                                                  "~",
                                                  "west-1/ams-core7",
                                                  "é",
                                                  "\x7f",
                                                  "%s",
                                                  "{a}",
                                                  "line\n\nline\n"};
  static const std::array<std::string, 24> kKeys{
      "name",     "items",    "state",  "utilization", "links",           "ports", "drops",  "paths",
      "error",    "message",  "effect", "changes",     "before",          "after", "inputs", "binding_links",
      "rejected", "decision", "true",   "3",           "max_utilization", "text",  "a b",    "measured"};
  switch (random.below(depth > 3 ? 6 : 8)) {
    case 0:
      return nullptr;
    case 1:
      return random.below(2) == 1;
    case 2:
      return random.below(1'000'000);
    case 3:
      return (random.uniform() - 0.5) * std::pow(10.0, static_cast<double>(random.below(300)));
    case 4:
    case 5:
      return kTexts[random.below(kTexts.size())];
    case 6: {
      Json list = Json::array();
      for (std::size_t left = random.below(5); left > 0; --left) list.push_back(any_json(random, depth + 1));
      return list;
    }
    default: {
      Json object = Json::object();
      for (std::size_t left = random.below(9); left > 0; --left) {
        object[kKeys[random.below(kKeys.size())]] = any_json(random, depth + 1);
      }
      return object;
    }
  }
}

}  // namespace wan::test
