-- scripted.lua: for scripts in a luajit of their own: the injector, installed
-- in the loop of their quoll, whose system calls can be scripted from now on.
local ffi = require "ffi"
local inject = require("spec.support.native").inject

inject.ql_inject_new(nil)
inject.ql_inject_install(ffi.cast("ql_loop_t *", require("quoll.core").loop()))

return inject
