local failure = require "quoll.http.failure"
local multipart = require "quoll.http.multipart"

local BODY = table.concat({
    "--b", 'Content-Disposition: form-data; name="a"', "", "one",
    "--b", 'Content-Disposition: form-data; name="f"; filename="x.bin"',
    "Content-Type: application/octet-stream", "", "\r\n--\r\n--c\0\255",
    "--b", 'Content-Disposition: form-data; name="e"', "", "", "--b--", "",
}, "\r\n")

local function pieces(text, size)
    local at = 1 - size
    return function()
        at = at + size
        local piece = text:sub(at, at + size - 1)
        return piece ~= "" and piece or nil
    end
end

local function read(text, size, opts)
    local got = {}
    for part in multipart.parts(pieces(text, size or #text), "b", opts) do
        got[#got + 1] = { part.name, part.filename or false, part.type or false,
            part:body() }
    end
    return got
end

-- The status of what reading it raises.
local function refusal(text, opts)
    local ok, err = pcall(read, text, nil, opts)
    assert.is_false(ok)
    return assert((failure.status(err)), tostring(err))
end

describe("quoll.http.multipart", function()
    it("reads parts, whatever the pieces", function()
        for size = 1, #BODY do
            assert.same({ { "a", false, false, "one" },
                { "f", "x.bin", "application/octet-stream",
                    "\r\n--\r\n--c\0\255" },
                { "e", false, false, "" } }, read(BODY, size))
        end
    end)

    it("takes an empty form, a line before and an epilogue", function()
        assert.same({}, read "--b--\r\n")
        assert.same({}, read "--b--")
        assert.equal(3, #read("\r\n" .. BODY .. "epilogue"))
    end)

    it("refuses what ends too early, wherever", function()
        for last = 1, BODY:find("--b--", 1, true) + 4 do
            local cut = BODY:sub(1, last - 1)
            assert.equal(400, refusal(cut), cut)
        end
    end)

    it("refuses what is malformed", function()
        for from, to in pairs { ["^%-%-b"] = "x--b", ["one\r\n"] = "one\n",
            ["%-%-b\r\n"] = "--b \r\n", ["form%-data"] = "attachment",
            ["name=\"a\""] = "name=\"a", ["\"a\"\r\n"] = "\"a\"\r\n folded\r\n",
            ["Content%-Type:"] = "Content-Type :", ["%-%-$"] = "-" } do
            local text, n = BODY:gsub("\r\n$", ""):gsub(from, to, 1)
            assert.equal(1, n, from)
            if from ~= "one\r\n" then
                assert.equal(400, refusal(text), from)
            end
        end
    end)

    it("has limits", function()
        assert.equal(3, #read(BODY, nil, { parts = 3 }))
        assert.equal(413, refusal(BODY, { parts = 2 }))
        assert.equal(431, refusal(BODY, { header = 40 }))
    end)

    it("finds the boundary", function()
        for text, expected in pairs {
            ["multipart/form-data; boundary=b"] = "b",
            ['Multipart/Form-Data; charset=x; boundary="a b"'] = "a b",
            ["multipart/form-data; boundary=" .. ("x"):rep(70)]
                = ("x"):rep(70) } do
            assert.equal(expected, multipart.boundary(text))
        end
        for _, bad in ipairs { "multipart/mixed; boundary=b",
            "multipart/form-data", "multipart/form-data; boundary=",
            "multipart/form-data; boundary=\"a \"",
            "multipart/form-data; boundary=a; boundary=b",
            "multipart/form-data; boundary=\"\r\n\"",
            "multipart/form-data; boundary=" .. ("x"):rep(71) } do
            assert.is_nil(multipart.boundary(bad), bad)
        end
        assert.is_nil(multipart.boundary(nil))
    end)
end)
