#pragma once

#include <string>

#include "tests/unit/core/small_networks.h"

namespace wan::test {

/// A plan file for `diamond()`, line by line so that tests can name lines.
inline std::string sample_plan() {
  return R"({"format":"aiwan-plan/1",
"topology":"0123456789abcdef",
"nodes":["A","B","C","D"],
"links":[{"from":0,"to":1,"name":"0"},{"from":1,"to":3,"name":"1"},)"
         R"({"from":0,"to":2,"name":"2"},{"from":2,"to":3,"name":"3"}],
"certificate":{"utilization":0.5,"lower_bound":0.4,"duals":[1,2,3,4]},
"demands":[
{"class":0,"from":0,"to":1,"paths":[{"fraction":1,"links":[0]}]},
{"class":0,"from":0,"to":3,"paths":[
 {"fraction":0.25,"links":[0,1]},
 {"fraction":0.75,"links":[2,3]}]}
],
"unrouted":[{"class":0,"from":3,"to":0}]
}
)";
}

}  // namespace wan::test
