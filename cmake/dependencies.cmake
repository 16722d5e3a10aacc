# Every library that is not ours, found in one place. packages.txt says which Debian package brings each, and why.
find_package(Threads REQUIRED)
find_package(tl-expected REQUIRED)     # tl::expected
find_package(pugixml REQUIRED)         # pugixml::pugixml
find_package(nlohmann_json REQUIRED)   # nlohmann_json::nlohmann_json
find_package(yaml-cpp REQUIRED)        # yaml-cpp
find_package(Protobuf REQUIRED)       # protobuf::libprotobuf, protoc
if(NOT WAN_LIBFUZZER)
  find_package(CLI11 REQUIRED)         # CLI11::CLI11
  find_package(spdlog REQUIRED)        # spdlog::spdlog
  find_package(SQLiteCpp REQUIRED)     # SQLiteCpp
  find_package(Catch2 2.13 REQUIRED)   # Catch2::Catch2WithMain
  find_package(benchmark REQUIRED)     # benchmark::benchmark
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(MPI REQUIRED IMPORTED_TARGET ompi-c)           # Open MPI: simulator/program/rank_messages_mpi alone
  pkg_check_modules(CLP REQUIRED IMPORTED_TARGET clp)
  pkg_check_modules(DPDK REQUIRED IMPORTED_TARGET libdpdk>=22.11)  # carries -march=corei7: only dataplane/dpdk links it, PRIVATE
  pkg_check_modules(ZMQ REQUIRED IMPORTED_TARGET libzmq)           # cppzmq's header needs no target of its own
  pkg_check_modules(HTTPLIB REQUIRED IMPORTED_TARGET cpp-httplib)
  find_package(prometheus-cpp CONFIG REQUIRED)                     # prometheus-cpp::core
  # libtorch adds -D_GLIBCXX_USE_CXX11_ABI and include paths through ${TORCH_LIBRARIES}: only models/ links it, PRIVATE.
  find_package(Torch REQUIRED)
endif()
