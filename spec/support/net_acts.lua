-- net_acts.lua: what tasks of spec/regress/net_fuzz_spec.lua do to an end of a
-- pair, by name: act.name(end).
local ffi = require "ffi"
local passing = require "spec.support.passing"
local world = require "spec.support.net_world"
local quoll = require "quoll"
local check, piece, upto, pick = world.check, world.piece, world.upto,
    world.pick
local buffers, string_buffer = pcall(require, "string.buffer")

local act = {}

local function brief()
    return pick { 0, 0.001, 0.002, 0.005, 0.02, 0.1 }
end

-- ------------------------------------------------------------- sends ----

local forms = {
    function(data) return data end,
    function(data)
        local at = upto(#data)
        return { data:sub(1, at), { { data:sub(at + 1) }, "" } }
    end,
    function(data)
        local parts = {}
        for at = 1, #data, 1 + math.ceil(#data / 70) do
            parts[#parts + 1] = data:sub(at, at + math.ceil(#data / 70))
        end
        return parts
    end,
    function(data)
        return ffi.new("char[?]", #data + 1, data), #data
    end,
    function(data)
        return buffers and string_buffer.new():put(data) or data
    end,
}

local function sendfile(this, data)
    return this.conn:sendfile(world.file, world.offset(this.out, this.sent),
        #data)
end

local function sendfd(this, data)
    return this.conn:sendfd(pick { world.file, 1 }, data)
end

-- One that was cancelled has had no effect or has broken its direction: where
-- the next one goes, it starts again.
local function settle(this, n, sent, err, partial, code)
    local was = this.sent
    this.sent, this.limit = was + (sent or partial or 0), nil
    if sent then
        check(sent == n, "sent %s of %s", tostring(sent), n)
        check(not this.broken, "a broken direction takes bytes")
        return
    end
    check(partial and partial <= n, "%s: %s of %s", err, tostring(partial), n)
    if partial > 0 or (code ~= "TIMEOUT" and code ~= "BUSY") then
        this.broken = true
        this.exact = this.exact and not this.corked and partial > 0
    end
end

-- What failures show.
local function note(this, n, results)
    local text = { this.tls or this.kind, this.corked and "corked" or "",
        "send", n, "=" }
    for i = 1, 5 do
        text[#text + 1] = tostring(results[i])
    end
    this.history[#this.history + 1] = table.concat(text, " ")
end

function act.send(this)
    if this.writing then return end
    local n = upto(pick { 1, 100, 5000, world.LARGE })
    local data = piece(this.out, this.sent, n)
    local how = upto(10)
    this.writing, this.limit = true, this.sent + n
    this.conn:settimeouts(brief(), 0.05)
    local function go()
        if how == 1 then
            return sendfile(this, data)
        elseif how == 2 and this.kind == "unix" and not this.tls then
            return sendfd(this, data)
        end
        return this.conn:send(pick(forms)(data))
    end
    local results = { pcall(go) }
    note(this, n, results)
    this.writing = false
    if results[1] then
        settle(this, n, unpack(results, 2, 5))
        if results[2] then
            this.unsure = nil
        end
    else -- cancelled
        this.unsure = math.max(this.unsure or 0, this.limit)
    end
end

function act.cork(this)
    this.corked = this.conn:cork(pick { 1, 100, 5000, 65536 }) or this.corked
end

function act.uncork(this)
    if this.writing then return end
    this.writing = true
    this.conn:settimeouts(brief(), 0.05)
    pcall(this.conn.uncork, this.conn)
    this.writing = false
end

-- ------------------------------------------------------------- reads ----

local function take(this, data)
    local want = piece(this.peer.out, this.got, #data)
    if data ~= want then
        local at = 1
        while data:byte(at) == want:byte(at) do at = at + 1 end
        check(false, "other bytes: %d + %d of %d, %s", this.got, at, #data,
            table.concat(this.peer.history, "; "))
    end
    return #data
end

local function give(this, data)
    this.got = this.got + take(this, data)
    local peer = this.peer
    local most = math.max(peer.limit or peer.sent, peer.unsure or 0)
    check(this.got <= most, "got %d of %d bytes: %s", this.got, most,
        table.concat(peer.history, "; "))
end

local reads = {
    function(conn, n) return conn:receive(n) end,
    function(conn, n) return conn:receiveany(n) end,
    function(conn) return conn:receive "*a" end,
    function(conn)
        local line, err, partial = conn:receive "*l"
        return line and line .. "\n", err, partial
    end,
    function(conn)
        return conn:receiveuntil("b\nc", { inclusive = true })()
    end,
    function(conn, n)
        return conn:receiveuntil("c\na\nc\nb", { inclusive = true })(n)
    end,
}

local function receive(this)
    local n = upto(pick { 1, 100, world.LARGE / 4 })
    local data, _, partial = pick(reads)(this.conn, n)
    give(this, data or partial or "")
end

local function peek(this)
    local data, _, partial = this.conn:peek(upto(3000))
    take(this, data or partial or "")
end

local function receivefd(this)
    local fd, data, code = this.conn:receivefd(upto(30000))
    if fd then
        passing.close(fd)
        give(this, data)
    elseif code == "EMFILE" then
        check(false, "no descriptor")
    end
end

local function reader(fn)
    return function(this)
        if this.reading then return end
        if fn == receivefd and (this.kind ~= "unix" or this.tls) then return end
        this.reading = true
        this.conn:settimeouts(0.05, brief())
        local _, err = pcall(fn, this)
        this.reading = false
        if type(err) == "string" and not quoll.iscancelled(err) then
            check(false, "%s", err)
        end
    end
end

act.receive, act.peek, act.receivefd =
    reader(receive), reader(peek), reader(receivefd)

-- -------------------------------------------------------- the others ----

function act.close(this)
    if upto(3) == 1 then
        this.closed, this.exact, this.peer.exact = true, false, false
        this.conn:close()
    end
end

function act.shutdown(this)
    if upto(4) ~= 1 then return end
    local how = pick { "send", "receive", "both" }
    if how ~= "send" then
        this.peer.exact = false
    end
    if how ~= "receive" and not this.writing then
        this.writing = true
        if pcall(this.conn.shutdown, this.conn, how) then
            this.shut = true
        end
        this.writing, this.exact = false, this.exact and how == "send"
    end
end

-- Its peer goes on meanwhile, and then the pool closes it.
function act.keep(this)
    if this.reading or this.writing or this.kind == "process" then return end
    local _, port = this.conn:getsockname()
    if this.conn:setkeepalive() then
        this.parked, this.reading, this.writing = true, true, true
        world.parked[port] = this
    end
end

-- All that was sent has to be read before.
function act.starttls(this)
    local peer = this.peer
    if this.tls or this.reading or this.writing or peer.reading
        or peer.writing or this.broken or peer.broken or this.unsure
        or peer.unsure or this.kind == "process" then return end
    this.reading, this.writing, peer.reading, peer.writing =
        true, true, true, true
    pcall(quoll.shield, math.huge, function()
        for _, one in ipairs { this, peer } do
            one.conn:settimeout(0.5)
            if not one.conn:uncork() then error "broken" end
            local data, err, partial =
                one.peer.conn:receive(one.sent - one.peer.got)
            give(one.peer, data or partial)
            assert(data, err)
        end
        world.shake(this, peer, pick { "tls12", "tls13" })
    end)
    this.exact, peer.exact = false, false
    this.reading, this.writing, peer.reading, peer.writing =
        false, false, false, false
end

function act.open()
    world.open(pick { "tcp", "unix", "tls12", "tls13" })
end

function act.spawn()
    world.tasks[#world.tasks + 1] = quoll.spawn(world.work, 5)
end

function act.cancel()
    if world.tasks[1] then
        pick(world.tasks):cancel()
    end
end

function act.hurry()
    quoll.deadline(upto(5) / 1000, world.work, 3)
end

function act.rest()
    quoll.sleep(upto(3) / 1000)
    collectgarbage "step"
end

function act.datagrams()
    local from, to = quoll.udp {}, quoll.udp { bind = "127.0.0.1:0" }
    local list, n, last = {}, upto(40), 0
    local address, port = to:getsockname()
    for i = 1, n do
        list[i] = { { i, " ", piece(0, i, upto(500)) }, address, port }
    end
    check(from:sendmany(list) == n, "datagrams were refused")
    to:settimeout(brief())
    while last < n do
        local got = to:receivemany(upto(40))
        if not got then break end
        for _, entry in ipairs(got) do
            local i, data = entry[1]:match "^(%d+) (.*)$"
            check(tonumber(i) == last + 1, "datagram %s after %d", i, last)
            check(data == piece(0, last + 1, #data), "another datagram")
            last = last + 1
        end
    end
    from:close()
    to:close()
end

return act
