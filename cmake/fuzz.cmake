# tests/fuzz/fuzz_<parser>.c becomes fuzz_<parser>; its corpus is tests/fuzz/corpus/<parser>.
file(GLOB sources CONFIGURE_DEPENDS tests/fuzz/fuzz_*.c)
foreach(source ${sources})
  cmake_path(GET source STEM stem)
  add_executable(${stem} ${source})
  target_include_directories(${stem} PRIVATE include src ${PROJECT_SOURCE_DIR})
  target_link_libraries(${stem} PRIVATE $<TARGET_NAME_IF_EXISTS:kp_cli> $<TARGET_NAME_IF_EXISTS:kp_devbroker> kproducer-static)
  target_link_options(${stem} PRIVATE -fsanitize=fuzzer)
endforeach()
