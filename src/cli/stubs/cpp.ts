/** A CMake project with one static library. */
import { minorOf, readme, type StubLanguage } from './language.js';

export const cpp: StubLanguage = {
  generator: () => 'cpp:no_skeleton',
  sources: () => 'src',
  files: (making, generated) => {
    const { snake, compiler } = making,
      target = `${snake}_stubs`;
    const sources = generated.filter((path) => path.endsWith('.cpp')).map((path) => `  src/${path}`);
    const code = `#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/protocol/TMultiplexedProtocol.h>
#include <thrift/transport/TBufferTransports.h>
#include <thrift/transport/TSocket.h>
#include "${making.contract.services[0]!.name}.h"
using namespace apache::thrift::protocol;
using namespace apache::thrift::transport;
using namespace ${making.namespace('cpp').replaceAll('.', '::')};

${making.example('C++')}`;
    const build = `add_subdirectory(cpp)                            # in your CMakeLists.txt, beside this folder
target_link_libraries(yours PRIVATE ${target})`;
    return new Map([
      [
        'CMakeLists.txt',
        `cmake_minimum_required(VERSION 3.16)
project(${target} CXX)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)

find_path(THRIFT_INCLUDE_DIR thrift/Thrift.h REQUIRED)
find_library(THRIFT_LIBRARY thrift REQUIRED)
# Code of one release does not fit the library of another.
if(EXISTS "\${THRIFT_INCLUDE_DIR}/thrift/config.h")
  file(STRINGS "\${THRIFT_INCLUDE_DIR}/thrift/config.h" line REGEX "define PACKAGE_VERSION")
  string(REGEX MATCH "[0-9]+\\\\.[0-9]+" found "\${line}")
  if(NOT found STREQUAL "${minorOf(compiler)}")
    message(FATAL_ERROR "these stubs were made with Thrift ${compiler.version}, and the library here is \${found}; make them again with that release's compiler: parley stubs … --thrift PATH")
  endif()
endif()

add_library(${target} STATIC
${sources.join('\n')}
)
target_include_directories(${target} PUBLIC src "\${THRIFT_INCLUDE_DIR}")
target_link_libraries(${target} PUBLIC "\${THRIFT_LIBRARY}")
`,
      ],
      ['README.md', readme(making, 'C++', build, 'cpp', code)],
    ]);
  },
};
