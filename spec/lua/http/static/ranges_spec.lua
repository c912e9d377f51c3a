local ranges = require "quoll.http.static.ranges"

describe("quoll.http.static.ranges", function()
    -- "0-4,7-9" of what parse gives
    local function text(header, size)
        local list = ranges.parse(header, size or 100)
        for i, range in ipairs(list or {}) do
            list[i] = ("%d-%d"):format(range.first, range.last)
        end
        return list and table.concat(list, ",")
    end

    it("reads one", function()
        assert.equal("0-4", text "bytes=0-4")
        assert.equal("0-99", text "bytes=0-")
        assert.equal("99-99", text "bytes=99-")
        assert.equal("90-99", text "bytes=90-1000")
        assert.equal("0-0", text "BYTES=0-0")
        assert.equal("93-99", text "bytes=-7")
        assert.equal("0-99", text "bytes=-101")
        assert.equal("0-999999999999998",
            text("bytes=0-999999999999999", 999999999999999))
        local huge = ("9"):rep(200)
        assert.equal("5-99", text("bytes=5-" .. huge))
        assert.equal("0-99", text("bytes=-" .. huge))
        assert.equal("", text("bytes=" .. huge .. "-" .. huge))
    end)

    it("reads several, in the order asked for", function()
        assert.equal("50-59,0-9", text "bytes=50-59,0-9")
        assert.equal("0-9,99-99", text "bytes= 0-9 ,\t, -1")
        assert.equal("0-9,10-19", text "bytes=0-9,10-19")
        assert.equal("5-6", text "bytes=200-,5-6,300-400")
    end)

    it("merges those that overlap", function()
        assert.equal("0-19", text "bytes=0-9,5-19")
        assert.equal("0-99", text "bytes=0-,0-,0-,0-")
        assert.equal("0-30,50-59", text "bytes=50-59,10-20,0-10,21-30")
        assert.equal("0-99", text "bytes=-50,0-60")
    end)

    it("has nothing behind the end", function()
        assert.equal("", text "bytes=100-")
        assert.equal("", text "bytes=-0")
        assert.equal("", text "bytes=100-,200-300")
        assert.equal("", text("bytes=0-", 0))
        assert.equal("", text("bytes=0-,-5", 0))
    end)

    it("gives the whole for what it does not understand", function()
        for _, header in ipairs { "bytes=", "bytes=-", "bytes=,", "bytes=a-b",
            "bytes=5-4", "bytes=0-4;6-7", "lines=0-4", "bytes 0-4",
            "bytes=0--4", "bytes=0x1-2", "bytes=0-4,x", "bytes =0-4", "0-4",
            "bytes=1e1-20", "bytes=+1-2", "bytes=0-4,9-8" }
        do
            assert.is_nil(ranges.parse(header, 100), header)
        end
        assert.is_nil(ranges.parse("bytes=-5", 0))
    end)

    it("gives the whole for too many", function()
        local many = {}
        for i = 1, 16 do
            many[i] = (i * 3) .. "-" .. (i * 3 + 1)
        end
        assert.equal(16, #ranges.parse("bytes=" .. table.concat(many, ","),
            100))
        many[17] = "0-0"
        assert.is_nil(ranges.parse("bytes=" .. table.concat(many, ","), 100))
        assert.is_nil(ranges.parse("bytes=0-1" .. (","):rep(1000), 100))
    end)

    it("never asks for a byte twice", function()
        math.randomseed(5)
        for _ = 1, 2000 do
            local specs, seen = {}, {}
            for i = 1, math.random(1, 16) do
                local first = math.random(0, 60)
                specs[i] = first .. "-" .. first + math.random(0, 20)
            end
            local header = "bytes=" .. table.concat(specs, ",")
            for _, range in ipairs(ranges.parse(header, 50) or {}) do
                for at = range.first, range.last do
                    assert.is_nil(seen[at], header)
                    seen[at] = true
                end
            end
            assert.is_nil(seen[50])
        end
    end)
end)
