# The simulator, and the small programs that print our tables for the tests and the generated documents.

function(kp_add_tool name)
  add_executable(${name} ${ARGN})
  target_include_directories(${name} PRIVATE include src ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE $<TARGET_NAME_IF_EXISTS:kp_devbroker> kproducer-static)
endfunction()

file(GLOB sources CONFIGURE_DEPENDS tests/sim/*.c)
if(sources)
  kp_add_tool(sim ${sources})
  target_link_libraries(sim PRIVATE m)
endif()
if(EXISTS ${PROJECT_SOURCE_DIR}/tests/unit/wire/schema_dump.c)
  kp_add_tool(schema_dump tests/unit/wire/schema_dump.c)
endif()
if(EXISTS ${PROJECT_SOURCE_DIR}/tests/tools/gen_configuration.c)
  kp_add_tool(gen_configuration tests/tools/gen_configuration.c)
endif()
