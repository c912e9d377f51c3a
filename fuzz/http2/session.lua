-- session.lua: one input: its plan is run against a session, which must give no
-- stream twice, no body that was not sent, no answer that was not given; fed in
-- other pieces, the same comes out.
package.path = "./?.lua;lua/?.lua;lua/?/init.lua;" .. package.path
package.cpath = "build-fuzz/lib/lua/5.1/?.so;" .. package.cpath

local fields = require "fuzz.http2.fields"
local peers = require "fuzz.http2.peer"
local plan = require "fuzz.http2.plan"
local raw = require "quoll.http.http2.core"
local request = require "quoll.http.http2.request"

local LARGE = { streams = 100, head = 32768, fields = 100 }
local SMALL = { streams = 2, head = 200, fields = 8 }
local WHOLE = 2 ^ 20
local HEAD = 9 -- bytes of a frame's head
local OUTPUT = 65536 -- bytes at a time
local PIECE = ("body"):rep(25000)

local Run = {}
Run.__index = Run

function Run:note(...)
    local words = { ... }
    for i = 1, select("#", ...) do
        words[i] = tostring(words[i])
    end
    self.log[#self.log + 1] = table.concat(words, " ")
end

-- ------------------------------------------------------------- the news ----

local function check_live(self)
    local n = 0
    for _, s in pairs(self.known) do
        n = n + ((s.closed or s.sent and s.ended) and 0 or 1)
    end
    assert(n <= self.limits.streams, "too many streams")
end

local function check_news(self, id, fresh, ended, sent, closed, reset)
    local s = self.known[id]
    assert(id % 2 == 1 and id > 0, "no stream of a client")
    if fresh then
        assert(id > self.last, "a stream twice")
        self.last, s = id, { body = 0 }
        self.known[id] = s
    end
    assert(s, "a stream that was never told, or is forgotten")
    assert((ended or not s.ended) and (sent or not s.sent)
        and (closed or not s.closed), "what had happened has not")
    s.ended, s.sent, s.closed, s.reset = ended, sent, closed, reset
    self:note("news", id, fresh, ended, sent, closed, reset)
end

function Run:news()
    while true do
        local id, fresh, ended, sent, closed, reset = raw.next(self.session)
        if not id then
            return check_live(self)
        end
        check_news(self, id, fresh, ended, sent, closed, reset)
    end
end

function Run:output()
    while true do
        local bytes = raw.output(self.session, OUTPUT)
        if not bytes then
            return
        end
        assert(#bytes > 0, "no output")
        self.peer:take(bytes)
        self:note("output", bytes)
    end
end

-- -------------------------------------------------------- the handler ----

local call = {}

-- As a handler sees it.
local function look_at(self, s, id, head)
    local stream = { connection = { session = self.session }, id = id }
    local req = request.new(stream, 1, head)
    s.length = req.length
    assert(type(req.path) == "string" and type(req.headers) == "table"
        and type(req.cookies) == "table" and type(req.query) == "table")
end

function call.head(self, step)
    local s, head = self.known[step.id], raw.head(self.session, step.id)
    assert(s or not head, "the head of a stream that is not known")
    if head then
        fields.check(head, self.limits)
        self:note("head", table.concat(head, "|"))
    end
    if head and #head > 0 then
        assert(not s.seen, "a head twice")
        s.seen = true
        look_at(self, s, step.id, head)
    end
end

function call.trailers(self, step)
    local list = raw.trailers(self.session, step.id)
    assert(self.known[step.id] or not list, "trailers of nobody")
    if list then
        fields.check(list, self.limits, true)
        self:note("trailers", table.concat(list, "|"))
    end
end

function call.read(self, step)
    local s = self.known[step.id]
    local piece = raw.read(self.session, step.id, step.size)
    self:note("read", piece)
    assert(s or piece == nil, "a body of nobody")
    if piece then
        assert(#piece <= step.size, "more than was asked for")
        s.body = s.body + #piece
        assert(s.body <= self.peer:stream(step.id).payload,
            "more than was sent")
    elseif piece == nil and s and s.ended and not s.closed then
        assert(not s.length or s.length == s.body, "cut short")
    end
end

function call.inform(self, step)
    local ok = raw.inform(self.session, step.id, { ":status", "100" })
    assert(self.known[step.id] or not ok, "informed nobody")
    local to = self.peer:stream(step.id)
    to.responded = to.responded or ok
end

local function respond(self, step, body)
    local list = { ":status", "200", "x-size", tostring(step.size),
        "x-long", PIECE:sub(1, step.size) }
    local ok = raw.respond(self.session, step.id, list, body)
    local s, to = self.known[step.id], self.peer:stream(step.id)
    assert(s and not s.lost or not ok, "answered nobody")
    to.responded = to.responded or ok
    self:note("respond", ok)
end

function call.respond(self, step)
    respond(self, step, true)
end

function call.respond_only(self, step)
    respond(self, step, false)
end

function call.write(self, step)
    local more = raw.write(self.session, step.id, PIECE:sub(1, step.size))
    self:note("write", more)
    assert(self.known[step.id] or more == nil, "written to nobody")
    if more ~= nil then
        local to = self.peer:stream(step.id)
        to.written = to.written + step.size
    end
end

function call.finish(self, step)
    raw.finish(self.session, step.id)
    self.peer:stream(step.id).finished = true
end

function call.reset(self, step)
    raw.reset(self.session, step.id, step.size % 14)
end

function call.forget(self, step)
    raw.forget(self.session, step.id)
    self.known[step.id] = nil
end

function call.leave(self)
    raw.leave(self.session)
end

call.news, call.output = Run.news, Run.output

-- ------------------------------------------------------------- the run ----

local function feed(self, bytes)
    local ok, why = raw.feed(self.session, bytes)
    assert(not self.failed or not ok, "it goes on after it has failed")
    self.failed = self.failed or not ok
    if not ok then
        assert(type(why) == "string")
    end
    return ok
end

-- The head of a frame is not cut: nghttp2 1.52 takes the pieces of that of a
-- CONTINUATION for so many frames.
local function say(self, step, cut)
    self.peer:allow(step)
    local text = step.bytes:rep(step.times)
    local at, n = 1, step.times == 1 and cut < #text and HEAD or #text
    while at <= #text and feed(self, text:sub(at, at + n - 1)) do
        at, n = at + n, math.min(cut, #text)
    end
    self:note("fed", self.failed)
end

local function run(what, cut)
    local limits = what.small and SMALL or LARGE
    local self = setmetatable({
        session = raw.new(limits.streams, limits.head, limits.fields),
        limits = limits, peer = peers.new(), known = {}, last = 0, log = {},
    }, Run)
    if not what.bare then
        feed(self, plan.PREFACE)
    end
    for _, step in ipairs(what.steps) do
        if step.call then
            call[step.call](self, step)
        else
            say(self, step, cut)
        end
        if not what.lazy then
            self:news()
            self:output()
        end
    end
    self:news()
    self:output()
    self:note("wants", raw.wants(self.session))
    self.session:close()
    return self.log, self.peer.refused
end

-- What is refused in the end may have been told in part when it came in pieces.
return function(input)
    local what = plan.read(input)
    local whole, whole_refused = run(what, WHOLE)
    local pieces, pieces_refused = run(what, what.cut)
    assert(whole_refused == pieces_refused, "refused by how it was cut")
    if whole_refused then
        return
    end
    for i = 1, math.max(#whole, #pieces) do
        if whole[i] ~= pieces[i] then
            error(("whole: %q\nin pieces: %q"):format(tostring(whole[i]),
                tostring(pieces[i])))
        end
    end
end
