local deflate = require "quoll.http.middleware.deflate"
local helper = require "spec.helper"
local quoll = require "quoll"
local tasks = require "spec.support.tasks"
local zlib = require "zlib"

local function inflate(data)
    return (zlib.inflate()(data))
end

describe("quoll.http.middleware.deflate", function()
    helper.gates()
    deflate.load()

    it("flattens bodies", function()
        assert.same({ "a", "1", "b" }, (deflate.pieces { "a", { 1, { "b" } } }))
        assert.equal(3, select(2, deflate.pieces { "a", { 1, { "b" } } }))
        assert.same({ "x" }, (deflate.pieces "x"))
        assert.is_nil(deflate.pieces(print))
        assert.is_nil(deflate.pieces { "a", setmetatable({}, {}) })
        assert.is_nil(deflate.pieces(io.stdout))
    end)

    it("compresses the whole, with turns for others", function()
        tasks.run(function()
            local big = ("0123456789abcdef"):rep(20000)
            local turns = 0
            local other = quoll.spawn(function()
                while true do
                    turns = turns + 1
                    quoll.yield()
                end
            end)
            local small = deflate.whole({ big, "x" }, 5)
            other:cancel()
            assert.equal(big .. "x", inflate(small))
            assert.is_true(turns >= 5)
        end)
    end)

    it("compresses a stream, and flushes when it is told to", function()
        tasks.run(function()
            local at, body = 0, { "one", "", "two", { "th", "ree" } }
            local function pull()
                at = at + 1
                return body[at]
            end
            local stream = deflate.stream(pull, 5, true)
            local reader, got = zlib.inflate(), {}
            for piece in stream do
                got[#got + 1] = reader(piece)
            end
            assert.same({ "one", "two", "three", "" }, got)
            at = 0
            stream = deflate.stream(pull, 5, false)
            local all = {}
            for piece in stream do
                assert.not_equal("", piece)
                all[#all + 1] = piece
            end
            assert.equal("onetwothree", inflate(table.concat(all)))
        end)
    end)

    it("hands failures and close() on", function()
        local closed
        local stream = deflate.stream(setmetatable({ close = function()
            closed = true
        end }, { __call = function() return nil, "broken", "EIO" end }), 5)
        assert.same({ nil, "broken", "EIO" }, { stream() })
        stream:close()
        assert.is_true(closed)
        assert.is_nil(stream())
    end)
end)
