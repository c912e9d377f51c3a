-- examples/ext/zstd.c, zstd_call.c and zstd.lua
local extensions = require "spec.support.extensions"
local helper = require "spec.helper"
local tasks = require "spec.support.tasks"

local KIB, MIB = 1024, 1024 * 1024

describe("examples/ext/zstd", function()
    local zstd = extensions.load "zstd"
    if not zstd then
        return
    end
    helper.gates()

    local noise -- does not get smaller

    setup(function()
        local random = assert(io.open("/dev/urandom", "rb"))
        noise = random:read(5 * MIB)
        random:close()
    end)

    -- size bytes, half of them noise.
    local function sample(size)
        local half = math.floor(size / 2)
        return noise:sub(1, half) .. ("quoll "):rep(size):sub(1, size - half)
    end

    local function it_runs(what, fn)
        it(what, function()
            tasks.run(fn, 30)
        end)
    end

    -- What comes out of stream when data is pushed in pieces.
    local function pump(stream, data, piece)
        local out = {}
        for at = 1, #data, piece do
            out[#out + 1] = assert(stream:push(data:sub(at, at + piece - 1)))
        end
        out[#out + 1] = assert(stream:finish())
        return table.concat(out)
    end

    it_runs("gives back what it was given", function()
        for _, size in ipairs { 0, 1, 64 * KIB, 128 * KIB, 128 * KIB + 1 } do
            local data = sample(size)
            local small = assert(zstd.compress(data))
            assert.is_true(zstd.decompress(small) == data)
            assert.is_true(#small <= size * 0.6 + 20)
        end
        local two = zstd.compress "one, "
            .. zstd.compress("two", { level = -7 })
        assert.equal("one, two", zstd.decompress(two))
    end)

    it_runs("takes a stream in odd pieces", function()
        local data = sample(10 * MIB)
        local packer = assert(zstd.compressor { level = 1 })
        local small = pump(packer, data, 777777)
        assert.is_true(#small < 6 * MIB)
        local unpacker = assert(zstd.decompressor())
        assert.is_true(pump(unpacker, small, 99991) == data)
        for _, text in ipairs { "again", "", "\0" } do -- another frame
            local frame = pump(packer, text, 1)
            assert.equal(text, pump(unpacker, frame, 1))
        end
    end)

    it_runs("writes the size of what it has at once into the head", function()
        for _, size in ipairs { 0, 300, 300 * KIB } do
            local frame = assert(zstd.compress(sample(size)))
            assert.is_true(frame:byte(5) >= 0x20) -- a size, in 1 to 8 bytes
        end
        local frame = pump(assert(zstd.compressor()), "text", 2)
        assert.equal(0x04, frame:byte(5)) -- nothing but a checksum
    end)

    it_runs("flushes", function()
        local packer = assert(zstd.compressor())
        local unpacker = assert(zstd.decompressor())
        for _, line in ipairs { "one\n", "two\n" } do
            local out = assert(packer:push(line)) .. assert(packer:flush())
            assert.equal(line, unpacker:push(out))
        end
    end)

    it_runs("understands the program zstd, and is understood", function()
        if os.execute "command -v zstd >/dev/null" ~= 0 then
            pending "there is no program zstd"
        end
        local data = sample(300 * KIB)
        local path = tasks.file(data)
        for _, level in ipairs { "--fast=3", "-3", "-19" } do
            local pipe = io.popen(("zstd -q %s -c %s"):format(level, path))
            assert.is_true(zstd.decompress(pipe:read "*a") == data)
            pipe:close()
        end
        os.remove(path)
        path = tasks.file(assert(zstd.compress(data, { level = 19 })))
        local pipe = io.popen("zstd -q -d -c < " .. path)
        assert.is_true(pipe:read "*a" == data)
        pipe:close()
        os.remove(path)
    end)

    it_runs("says what is wrong with the data", function()
        local small = zstd.compress(sample(64 * KIB))
        assert.same({ nil, "unknown frame descriptor", "ZSTD_UNKNOWN" },
            { zstd.decompress(("no zstd "):rep(9)) })
        assert.same({ nil, "unknown frame descriptor", "ZSTD_UNKNOWN" },
            { zstd.decompress(small .. ("behind it "):rep(9)) })
        assert.same({ nil, "restored data doesn't match checksum",
            "ZSTD_CHECKSUM" }, { zstd.decompress(small:sub(1, 999)
            .. string.char((small:byte(1000) + 1) % 256) .. small:sub(1001)) })
        for _, size in ipairs { 0, 1, 9, 1000, #small - 1 } do
            assert.same({ nil, "unexpected end of data", "ZSTD_TRUNCATED" },
                { zstd.decompress(small:sub(1, size)) })
        end
        local block = "\40\181\47\253\0\88\7\0\0" -- of the type there is not
        local stream = assert(zstd.decompressor())
        for _ = 1, 2 do
            local out, _, code = stream:push(block .. ("\255"):rep(64))
            assert.same({ nil, "ZSTD_CORRUPT" }, { out, code })
        end
        assert.equal("ZSTD_CORRUPT", (select(3, stream:finish())))
    end)

    it_runs("lets no more come out than the limit", function()
        local bomb = assert(zstd.compress(("\0"):rep(10 * MIB)))
        assert.is_true(#bomb < 2 * KIB)
        for _, limit in ipairs { 0, 1, MIB, 10 * MIB - 1 } do
            assert.same({ nil, "more bytes than the limit", "ZSTD_LIMIT" },
                { zstd.decompress(bomb, { limit = limit }) })
        end
        for _, limit in ipairs { 10 * MIB, math.huge } do
            assert.equal(10 * MIB, #zstd.decompress(bomb, { limit = limit }))
        end
        local stream = assert(zstd.decompressor { limit = 10 * MIB })
        for _ = 1, 2 do -- which counts for each frame
            assert.equal(10 * MIB, #pump(stream, bomb, 100))
        end
        assert.equal("", zstd.decompress(zstd.compress "", { limit = 0 }))
    end)

    it("refuses what it does not know", function()
        for words, case in pairs {
            ["bad level"] = { zstd.compress, "", { level = 23 } },
            ["bad limit"] = { zstd.decompress, "", { limit = -1 } },
            ["bad limit: a number"] = { zstd.decompressor, { limit = 0 / 0 } },
            ["no option 'limit'"] = { zstd.compressor, { limit = 1 } },
            ["bad data"] = { zstd.compress },
            ["got table"] = { zstd.decompress, {} },
        } do
            local ok, err = pcall(unpack(case))
            assert.is_false(ok)
            assert.is_truthy(err:find(words, 1, true))
        end
    end)
end)
