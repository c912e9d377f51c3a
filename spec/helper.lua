--[==[ helper.lua: what the specs share.

  local helper = require "spec.helper"
  local ffi, C, inject = helper.ffi, helper.C, helper.inject

The C runtime (spec/runtime), each test in a forked child:
  it("name", helper.forked(function() ... end[, seconds]))
      a crash, a timeout (10 s) or a sanitizer line fails the test; so does
      what is left over: loops made by helper.loop are finished, descriptors
      are compared. In the child the JIT is off: FFI callbacks work anywhere.
  C            libquoll-test.so: every function of quoll.h and core/loop.h and
               their enums (C.NGX_AGAIN); macros: helper.CLEAR_EVENT, .INFINITE,
               .CONF_UNSET
  helper.loop([settings[, sys]])    ql_loop_t *, its log is kept
  helper.conf([settings])           ql_conf_t, { epoll_events = 16 }
  helper.run_until(loop, fn[, s])   turns until fn() is true
  helper.stats(loop)                ql_stats_t (numbers are uint64: tonumber)
  helper.finish(loop)               empty it, check the gates, destroy it
  helper.log()                      { { level=, text= }, ... } of all loops
  helper.expect_alerts(n)           the test provokes n ALERT lines
  helper.handler(fn)                fn(ev) as a ql_event_handler_pt
  helper.event(loop[, handler])     an event with a connection of its own, as
                                    timers and posted events need it
  helper.address(text)              ql_sockaddr_t of "127.0.0.1:0"
  inject.ql_probe*                  handlers in C: spec/support/probe.h
  inject.ql_inject_*                scripted system calls: inject/inject.h
      local loop = helper.loop({}, inject.ql_inject_new(nil))
      inject.ql_inject_fail("accept4", -1, 1, 3, helper.errno.EMFILE)

Scripts in a luajit of their own (examples, exit codes, signals):
  helper.script(path_or_source[, args[, opts]])
      -> { code= | signal=, out=, err=, timeout= };
      opts { env=, input=, timeout=, lua= }
  helper.start(path_or_source[, args[, opts]])
      -> child: :line([s]) :write(data) :kill(signo) .pid
  helper.finish_script(child[, s])  waits, kills after s; returns as script
  helper.ended(child)               likewise; it must end by itself

The Lua API in busted's own state:
  helper.gates()   once in a describe: after each test nothing is left over

  helper.seconds(n)  n, or more where the suite runs slower

helper.injected, helper.sanitized, helper.collecting: the suite runs under
`make test-inject`, `test-asan`, `test-gc`: counts of system calls, memory and
times are then not what they are.
]==]
local native = require "spec.support.native"
local loops = require "spec.support.loops"
local scripts = require "spec.support.scripts"
local gates = require "spec.support.gates"

local ffi, C = require "ffi", native.C

local helper = {
    ffi = ffi,
    C = C,
    inject = native.inject,
    build = native.build,
    root = native.cwd(),
    now = native.now,
    forked = require "spec.support.forked",
    loop = loops.create,
    conf = loops.conf,
    stats = loops.stats,
    run_until = loops.run_until,
    finish = loops.finish,
    log = loops.log,
    expect_alerts = loops.expect_alerts,
    script = scripts.run,
    start = scripts.start,
    finish_script = scripts.finish,
    ended = scripts.ended,
    injected = os.getenv("QUOLL_TEST_INJECT") ~= nil,
    collecting = os.getenv("QUOLL_TEST_GC") ~= nil,
    sanitized = os.getenv("QUOLL_TEST_ASAN") ~= nil,
    CLEAR_EVENT = 0x80000000,
    CONF_UNSET = 0xffffffff,
    INFINITE = ffi.cast("uint64_t", -1LL),
    errno = {
        EPERM = 1, ENOENT = 2, EINTR = 4, EIO = 5, EBADF = 9, EAGAIN = 11,
        ENOMEM = 12, EACCES = 13, EEXIST = 17, ENOTDIR = 20, EISDIR = 21,
        EINVAL = 22, ENFILE = 23, EMFILE = 24, ENOSPC = 28, EPIPE = 32,
        ENOSYS = 38, EPROTO = 71, EOPNOTSUPP = 95, EADDRINUSE = 98,
        ECONNABORTED = 103, ECONNRESET = 104, ENOBUFS = 105,
        ETIMEDOUT = 110, ECONNREFUSED = 111, EINPROGRESS = 115,
    },
}

local anchors = {} -- callbacks and events that only C points to

function helper.handler(fn)
    local handler = ffi.cast("ql_event_handler_pt", fn)
    anchors[#anchors + 1] = handler
    return handler
end

function helper.event(loop, handler)
    local c = ffi.new("ql_connection_t")
    local ev = c.read
    c.loop = loop
    c.fd = -1
    ev.data = c
    ev.handler = handler
    anchors[#anchors + 1] = c
    return ev
end

function helper.address(text)
    local addr = ffi.new("ql_sockaddr_t")
    local err = ffi.new("const char *[1]")
    assert(C.ql_sockaddr_parse(text, addr, err) == C.NGX_OK,
        err[0] ~= nil and ffi.string(err[0]) or text)
    return addr
end

function helper.seconds(n)
    return n * tonumber(os.getenv("QUOLL_TEST_PATIENCE") or 1)
end

-- In a describe whose tasks fail, many and as expected: none of it is logged.
function helper.silent()
    local busted = require "busted"
    local configure = require("quoll").configure
    local level
    busted.setup(function()
        level = configure().log_level
        configure { log_level = "alert" }
    end)
    busted.teardown(function()
        configure { log_level = level }
    end)
end

function helper.gates()
    local busted = require "busted"
    local before
    busted.before_each(function()
        before = gates.before()
    end)
    busted.after_each(function()
        gates.after(before)
    end)
end

return helper
