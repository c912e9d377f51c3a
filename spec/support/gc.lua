-- gc.lua: loaded by LUA_INIT into every luajit of `make test-gc`: the
-- collector never rests, and every N virtual machine instructions there is a
-- full collection, N = QUOLL_TEST_GC.
local count = tonumber(os.getenv("QUOLL_TEST_GC")) or 1000

collectgarbage("setpause", 0)
collectgarbage("setstepmul", 1000)
jit.off() -- compiled code calls no hooks
debug.sethook(function()
    pcall(collectgarbage) -- a finalizer may raise
end, "", count)
