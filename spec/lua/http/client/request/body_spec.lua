local body = require "quoll.http.client.request.body"
local helper = require "spec.helper"
local pair = require "spec.support.pair"
local part = require "quoll.http.part"
local quoll = require "quoll"

local README = helper.root .. "/README.md"

-- What arrives when value is sent, and what body.send says.
local function sent(value, out)
    local text, result
    quoll.run(function()
        local client, server = pair.connect()
        local reader = quoll.spawn(function()
            return (server:receive "*a")
        end)
        out = out or {}
        out.conn = client
        out.answered = out.answered or function() return false end
        local made = assert(body.plan(value))
        out.total = out.total or not out.chunked and made.size or nil
        result = { body.send(made, out) }
        client:close()
        text = reader:wait(pair.PATIENCE)
    end)
    return text, result
end

-- A source that gives the values one after the other.
local function source(...)
    local values, i = { ... }, 0
    return function()
        i = i + 1
        return values[i]
    end
end

describe("quoll.http.client.request.body", function()
    helper.gates()

    it("knows how long it is", function()
        local file = assert(quoll.open(README))
        local size = file:size()
        for _, case in ipairs {
            { "abc", 3 }, { 12, 2 }, { {}, 0 }, { { "a", { 1, { "b" } } }, 3 },
            { file, size }, { { "<", file, ">" }, size + 2 },
            { part.part(file, 10, 5), 5 }, { print, nil },
            { { "a", print }, nil },
            { require("string.buffer").new():put("abc"), 3 },
        } do
            local made = assert(body.plan(case[1]))
            assert.equal(case[2], made.size)
            assert.equal(case[2] ~= nil, made.replayable)
        end
        file:close()
        assert.equal("CLOSED", select(3, body.plan(file)))
    end)

    it("is text where it is in memory", function()
        assert.equal("a1b", body.text(body.plan { "a", { 1 }, "b" }))
        assert.equal("", body.text(body.plan ""))
        assert.is_nil(body.text(body.plan { "a", print }))
    end)

    it("refuses what is no body", function()
        local endless = {}
        endless[1] = endless
        for _, bad in ipairs { true, { {}, { true } }, endless,
            coroutine.create(print) } do
            pair.raises(function() body.plan(bad) end,
                "body_spec.*bad argument 'body' to 'request'")
        end
    end)

    it("leaves whole", function()
        local file = assert(quoll.open(README))
        local content = file:pread(1e6, 0)
        assert.equal("<" .. content .. content:sub(11, 15) .. ">",
            (sent { "<", file, part.part(file, 10, 5), ">" }))
        file:close()
        local long = ("0123456789abcdef"):rep(40000)
        local told = {}
        local text = sent({ long }, { progress = function(n, total)
            told[#told + 1] = n
            assert.equal(640000, total)
        end })
        assert.is_true(text == long)
        assert.same({ 262144, 524288, 640000 }, told)
    end)

    it("leaves in chunks", function()
        assert.equal("1\r\na\r\n2\r\n12\r\n0\r\n\r\n",
            (sent(source("a", "", 12), { chunked = true })))
        assert.equal("1\r\na\r\n1\r\nb\r\n0\r\n\r\n",
            (sent({ "a", source "b" }, { chunked = true })))
        assert.equal("0\r\n\r\n", (sent(source(), { chunked = true })))
    end)

    it("fails as its source does", function()
        local text, result = sent(function() return nil, "no more", "EIO" end,
            { chunked = true })
        assert.same({ nil, "no more", "EIO" }, result)
        assert.equal("", text)
        assert.error_matches(function() sent(function() error "oops" end) end,
            "oops")
        pair.raises(function() sent(function() return {} end) end,
            "bad argument 'body'")
    end)

    it("is as long as was said", function()
        assert.equal("ab", (sent(source("a", "b"), { total = 2 })))
        assert.same({ nil, "body longer than its Content-Length", "EMSGSIZE" },
            select(2, sent(source("a", "bc"), { total = 2 })))
        assert.same({ nil, "body shorter than its Content-Length", "EMSGSIZE" },
            select(2, sent(source "a", { total = 2 })))
        local path = os.tmpname()
        quoll.fs.writefile(path, "abc")
        local file = assert(quoll.open(path))
        local piece = part.part(file)
        piece.n = 9
        assert.equal("ENODATA", select(2, sent(piece))[3])
        file:close()
        os.remove(path)
    end)

    it("stops when it was answered", function()
        local n = 0
        local text, result = sent(function() return "a" end, { chunked = true,
            answered = function()
                n = n + 1
                return n > 3
            end })
        assert.same({ false }, result)
        assert.equal(("1\r\na\r\n"):rep(3), text)
    end)

    it("tells a source that nobody pulls it", function()
        local closed = 0
        local pulled = setmetatable({ close = function()
            closed = closed + 1
        end }, { __call = source "a" })
        body.abandon(assert(body.plan { "x", pulled, print }))
        assert.equal(1, closed)
        assert.equal("1\r\na\r\n0\r\n\r\n", (sent(pulled, { chunked = true })))
    end)
end)
