-- net_world.lua: what tasks of spec/regress/net_fuzz_spec.lua share: their
-- choices, and pairs of ends, each with what it has sent and got. A stream is
-- a sequence with a period that no length divides, from a start of its own.
-- The module is the world; reset(seed) makes it anew.
local helper = require "spec.helper"
local pair = require "spec.support.pair"
local tasks = require "spec.support.tasks"
local tls_pair = require "spec.support.tls_pair"
local quoll = require "quoll"

local PERIOD = 4099
local world = {
    LARGE = helper.injected and 2000 or 150000, -- more than buffers take
}

local period = {}
for i = 1, PERIOD do
    period[i] = ("ab\nc"):sub(i * i % 31 % 4 + 1):sub(1, 1)
end
local bytes = table.concat(period)

function world.piece(stream, position, n)
    local start = (stream + position) % PERIOD
    return bytes:rep(math.ceil((start + n) / PERIOD)):sub(start + 1, start + n)
end

-- Where in the world's file the bytes of a stream from a position on are.
function world.offset(stream, position)
    return (stream + position) % PERIOD
end

function world.upto(n)
    world.state = (world.state * 16807) % 2147483647
    return world.state % n + 1
end

function world.pick(list)
    return list[world.upto(#list)]
end

-- What is wrong is kept: tasks catch errors, which are many.
function world.check(ok, text, ...)
    if not ok then
        world.wrong = world.wrong or debug.traceback(text:format(...))
        error(world.wrong, 0)
    end
end

-- An end: `out` is the stream that it writes, `sent` what of it has been taken
-- (at most, while it is `writing`), `got` what it has read of its peer's.
-- exact: once it has shut its stream down, its peer gets `sent` bytes.
local function make(conn, out, kind)
    conn:settimeout(pair.PATIENCE)
    if kind ~= "process" then
        conn:setoption("sndbuf", 4096) -- sends have to wait
    end
    return { conn = conn:disown(), out = out, sent = 0, got = 0, exact = true,
        kind = kind, history = {} }
end

local function couple(client, server, kind)
    local a, b = make(client, 3, kind), make(server, 1505, kind)
    a.peer, b.peer = b, a
    world.all[#world.all + 1] = a
    world.all[#world.all + 1] = b
    return a, b
end

local function dial(kind)
    local listener = world.listeners[kind == "unix" and "unix" or "tcp"]
    local opts = { timeout = pair.PATIENCE, pool = kind ~= "unix" or nil }
    local client = assert(quoll.connect(listener:address(), opts))
    if kind ~= "unix" then
        local known = world.parked[select(2, client:getsockname())]
        if known then
            known.conn, known.parked = client:disown(), nil
            known.reading, known.writing = false, false
            return
        end
    end
    return client, assert(listener:accept(pair.PATIENCE))
end

-- An end that takes no TLS, being shut or broken, would read a greeting.
local function starttls(conn, opts)
    local ok = conn:starttls(opts)
    if not ok then
        conn:close()
    end
    return ok
end

-- TLS on both ends, which have nothing under way.
function world.shake(a, b, version)
    local other = quoll.spawn(starttls, b.conn, world.server[version])
    local ok = starttls(a.conn, { context = world.client[version],
        server_name = "localhost", timeout = pair.PATIENCE })
    local theirs = other:wait()
    a.tls, b.tls = ok and version, theirs and version
    return ok and theirs
end

-- A new pair, or an end that comes back from the pool.
function world.open(kind)
    local at = #world.ends < 12 and #world.ends + 1
        or world.upto(6) * 2 - 1
    world.gate:with(function()
        quoll.shield(math.huge, function()
            local client, server = dial(kind)
            if client then
                local a, b = couple(client, server, kind)
                if world.server[kind] then
                    assert(world.shake(a, b, kind))
                end
                world.ends[at], world.ends[at + 1] = a, b
            end
        end)
    end)
end

-- What a program copies: one end writes only, the other one reads only.
function world.start()
    local process = assert(quoll.process.exec({ "cat" },
        { stdin = "pipe", stdout = "pipe", grace = 0 })):disown()
    local a = make(process.stdin, 7, "process")
    local b = make(process.stdout, 0, "process")
    a.peer, b.peer, a.reading, b.writing = b, a, true, true
    for _, this in ipairs { a, b } do
        world.ends[#world.ends + 1], world.all[#world.all + 1] = this, this
    end
end

local function contexts()
    world.server, world.client = {}, {}
    for name, version in pairs { tls12 = "1.2", tls13 = "1.3" } do
        local versions = { min_version = version, max_version = version }
        local server, client = tls_pair.server(versions),
            tls_pair.client(versions)
        server.timeout, client.timeout, client.server_name = nil, nil, nil
        world.server[name] = assert(quoll.tls.context(server))
        world.client[name] = assert(quoll.tls.context(client))
    end
end

function world.reset(seed)
    world.state, world.wrong = seed % 2147483646 + 1, nil
    world.ends, world.all, world.tasks, world.parked = {}, {}, {}, {}
    world.gate = quoll.sync.mutex()
    if not world.server then
        contexts()
    end
    local path = os.tmpname()
    os.remove(path)
    world.listeners = { tcp = assert(quoll.listen "127.0.0.1:0"):disown(),
        unix = assert(quoll.listen("unix:" .. path)):disown() }
    path = tasks.file(world.piece(0, 0, 2 * (world.LARGE + PERIOD)))
    world.file = assert(quoll.open(path)):disown()
    os.remove(path)
end

return world
