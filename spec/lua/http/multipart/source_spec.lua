local source = require "quoll.http.multipart.source"

-- A source of these pieces.
local function of(...)
    local pieces, at = { ... }, 0
    return source.new(function()
        at = at + 1
        return pieces[at]
    end, "\r\n--b")
end

-- All up to the delimiter, and whether it came.
local function rest(from)
    local got = {}
    while true do
        local piece, ended = from:piece()
        if not piece then
            return table.concat(got), ended
        end
        got[#got + 1] = piece
    end
end

describe("quoll.http.multipart.source", function()
    it("finds the delimiter wherever the pieces end", function()
        local text = "one\r\r\n-two\r\n--\r\n--bx"
        for cut = 1, #text - 1 do
            for other = cut, #text - 1 do
                local from = of(text:sub(1, cut), text:sub(cut + 1, other),
                    text:sub(other + 1))
                assert.same({ "one\r\r\n-two\r\n--", true }, { rest(from) })
                assert.equal("x", from:take(1))
            end
        end
    end)

    it("tells that it ended without", function()
        assert.is_false((select(2, rest(of("ab", "\r\n--")))))
        assert.is_nil(of("a"):take(2))
    end)

    it("takes up to a text, within a limit", function()
        local from = of("a", "b\r", "\n\r", "\nc")
        assert.equal("ab", from:take_until("\r\n\r\n", 6))
        assert.equal("c", from:take(1))
        assert.same({ nil, true }, { of("ab\r\n\r\n"):take_until("\r\n\r\n",
            5) })
        assert.same({ nil, true }, { of("abcdef", "g"):take_until("\r\n\r\n",
            5) })
        assert.same({ nil, false }, { of("ab\r\n"):take_until("\r\n\r\n",
            50) })
    end)
end)
