local http = require "spec.support.http_message"
local lib = http.lib

-- Those of the 256 bytes that are of the class.
local function members(class)
    local found = {}
    for byte = 0, 255 do
        local c = string.char(byte)
        if lib.ql__http_span(c, 1, class) == 1 then
            found[#found + 1] = c
        end
    end
    return table.concat(found)
end

local function matching(set)
    local found = {}
    for byte = 0, 255 do
        local c = string.char(byte)
        if c:find(set) then
            found[#found + 1] = c
        end
    end
    return table.concat(found)
end

describe("runtime/http/chars", function()
    it("are what the RFCs say", function()
        assert.equal(matching "[%w!#$%%&'*+%-.^_`|~]",
            members(lib.QL_HTTP_TCHAR))
        assert.equal(matching "[\t\32-\126\128-\255]",
            members(lib.QL_HTTP_TEXT))
        assert.equal(matching "[!\"$-\126]", members(lib.QL_HTTP_TARGET))
        assert.equal(matching "[%w%-._~!$&'()*+,;=]",
            members(lib.QL_HTTP_HOST))
        assert.equal("0123456789", members(lib.QL_HTTP_DIGIT))
        assert.equal(matching "[%x]", members(lib.QL_HTTP_HEX))
        assert.equal("\t ", members(lib.QL_HTTP_BLANK))
    end)

    it("are counted up to the first that is not", function()
        local class = lib.QL_HTTP_DIGIT
        assert.equal(3, tonumber(lib.ql__http_span("123a4", 5, class)))
        assert.equal(2, tonumber(lib.ql__http_span("123", 2, class)))
        assert.equal(0, tonumber(lib.ql__http_span("", 0, class)))
    end)

    it("are the same eight at a time", function()
        for i = 0, 24 do
            for byte = 0, 255 do
                local text = ("x"):rep(i) .. string.char(byte)
                    .. ("\255"):rep(9)
                assert.equal(lib.ql__http_span(text, #text, lib.QL_HTTP_TEXT),
                    lib.ql__http_span_text(text, #text))
            end
        end
    end)
end)
