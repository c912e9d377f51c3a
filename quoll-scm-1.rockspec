rockspec_format = "3.0"
package = "quoll"
version = "scm-1"
source = {
  url = "git+file://.", -- `luarocks make` builds the tree it is called in
}
description = {
  summary = "A Lua-scriptable reactor runtime for Linux",
  detailed = [[
    The event core of a web server as a library: coroutines that wait for
    sockets, timers, files and processes, with TLS, DNS, HTTP and WebSockets.
    Runs under LuaJIT.
  ]],
  license = "MIT",
}
supported_platforms = { "linux" }
dependencies = {
  "lua == 5.1", -- LuaJIT's
}
external_dependencies = {
  AIO = { header = "libaio.h" },
}
build = {
  type = "cmake",
  variables = {
    QL_ROCK = "ON",
    QL_LUA_DESTINATION = "$(LUADIR)",
    QL_MODULE_DESTINATION = "$(LIBDIR)",
    QL_TESTS = "OFF",
    QL_BENCH = "OFF",
    QL_EXAMPLES = "OFF",
  },
}
