local body = require "quoll.http.client.request.body"
local helper = require "spec.helper"
local multipart = require "quoll.http.client.request.multipart"
local pair = require "spec.support.pair"
local quoll = require "quoll"

local README = helper.root .. "/README.md"

-- The text of a form without files, with "B" for the boundary.
local function text(parts)
    local made = assert(multipart.make(parts))
    local boundary = made.type:match "^multipart/form%-data; boundary=(.+)$"
    made.close()
    return (body.text(body.plan(made.body)):gsub(boundary:gsub("%-", "%%-"),
        "B"))
end

describe("quoll.http.client.request.multipart", function()
    helper.gates()

    it("writes fields, the list's first", function()
        assert.equal("--B\r\nContent-Disposition: form-data; name=\"z\"\r\n"
            .. "\r\n1\r\n--B\r\n"
            .. "Content-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--B\r\n"
            .. "Content-Disposition: form-data; name=\"b\"\r\n\r\ny\r\n"
            .. "--B--\r\n", text { { name = "z", value = 1 }, b = "y",
            a = "x" })
        assert.equal("--B--\r\n", text {})
    end)

    it("writes names so that they are one line", function()
        assert.matches('name="a%%22%%0D%%0A\\b"; filename="%%22"\r\n'
            .. "Content%-Type: text/plain\r\n\r\nx", text { { name =
            'a"\r\n\\b', filename = '"', type = "text/plain", value = "x" } })
    end)

    it("opens files, whose size is known", function()
        quoll.run(function()
            local made = assert(multipart.make { { name = "f", path = README },
                { name = "g", file = assert(quoll.open(README)),
                filename = "h" } })
            local planned = assert(body.plan(made.body))
            local heads = 0
            for _, piece in ipairs(planned.pieces) do
                heads = heads + (type(piece) == "string" and #piece or 0)
            end
            assert.equal(2 * quoll.fs.stat(README).size + heads, planned.size)
            assert.matches('filename="README.md"\r\nContent%-Type: '
                .. "application/octet%-stream\r\n\r\n$", planned.pieces[1])
            made.close()
            assert.equal("closed", select(2, body.plan(made.body)))
        end)
    end)

    it("closes what it has opened when it fails", function()
        local made, err, code = multipart.make { { name = "a", path = README },
            { name = "b", path = "/nowhere/at/all" } }
        assert.is_nil(made)
        assert.equal("/nowhere/at/all: no such file or directory", err)
        assert.equal("ENOENT", code)
    end)

    it("has another boundary each time", function()
        local seen = {}
        for _ = 1, 100 do
            local kind = multipart.make({}).type
            assert.matches("^multipart/form%-data; boundary=quoll%-"
                .. ("%x"):rep(32) .. "$", kind)
            assert.is_nil(seen[kind])
            seen[kind] = true
        end
    end)

    it("refuses bad parts", function()
        for _, bad in ipairs { { "x" }, { { value = "x" } }, { { name = "x" } },
            { { name = "x", value = 1, path = "y" } },
            { { name = "x", size = 1 } }, { { name = "\0", value = 1 } },
            { { name = "x", value = 1, type = "a\r\nb" } },
            { { name = "x", value = 1, filename = "a\0b" } } } do
            pair.raises(function() multipart.make(bad) end,
                "multipart_spec.*bad argument ")
        end
    end)
end)
