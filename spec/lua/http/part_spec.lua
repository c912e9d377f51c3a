local helper = require "spec.helper"
local quoll = require "quoll"
local part = require "quoll.http.part"

describe("quoll.http.part", function()
    helper.gates()
    local path = helper.root .. "/LICENSE"

    it("names a piece of a file", function()
        local file = assert(quoll.open(path))
        local piece = part.part(file, 10, 20)
        assert.equal(part.type, getmetatable(piece))
        assert.equal(file, piece.file)
        assert.equal(10, piece.offset)
        assert.equal(20, piece.n)
        file:close()
    end)

    it("goes up to the end by default", function()
        local file = assert(quoll.open(path))
        assert.equal(file:size(), part.part(file).n)
        assert.equal(file:size() - 7, part.part(file, 7).n)
        assert.equal(0, part.part(file, 2 ^ 40).n)
        file:close()
        local piece, err, code = part.part(file)
        assert.is_nil(piece)
        assert.equal("closed", err)
        assert.equal("CLOSED", code)
    end)

    it("refuses what is no piece of a file", function()
        local file = assert(quoll.open(path))
        local udp = assert(quoll.udp())
        for _, args in ipairs { { "x" }, { udp }, { {} }, { io.stdout },
            { file, -1 }, { file, 0.5 }, { file, "0" }, { file, 0, -1 },
            { file, 0, 0 / 0 }, { file, 0, math.huge } }
        do
            local ok, err = pcall(part.part, unpack(args))
            assert.is_false(ok)
            assert.matches("bad argument '%w+' to 'part'", err)
        end
        udp:close()
        file:close()
    end)
end)
