-- multipart.lua: forms with the boundary "b": whatever the pieces they come in,
-- the parts are the same, or the failure.
local failure = require "quoll.http.failure"
local multipart = require "quoll.http.multipart"

local target = {
    words = { "\r\n--b\r\n", "--b", "\r\n--b--\r\n", "\r\n\r\n", "--",
        "Content-Disposition: form-data; name=\"a\"", "; filename=\"x\"",
        "Content-Type: text/plain", "\r\n", "\r", "\n", "\"", "\\" },
}

local function pieces(text, size)
    local at = 1 - size
    return function()
        at = at + size
        local piece = text:sub(at, at + size - 1)
        return piece ~= "" and piece or nil
    end
end

local function read(text, size)
    local got = {}
    for part in multipart.parts(pieces(text, size), "b", { parts = 9 }) do
        got[#got + 1] = ("%q %q %q"):format(part.name,
            tostring(part.filename), tostring(part.type))
        local body = part:body()
        assert(not ("\r\n" .. body):find("\r\n--b", 1, true) or
            body:find("^%-%-b"), "a boundary in a part")
        got[#got + 1] = body
    end
    return table.concat(got, "\n")
end

local function outcome(text, size)
    local ok, result = pcall(read, text, size)
    if ok then
        return result
    end
    return "status " .. (failure.status(result) or error(result, 0))
end

function target.try(input)
    local whole = outcome(input, math.max(#input, 1))
    for _, size in ipairs(#input < 4096 and { 1, 3, 64 } or { 4096 }) do
        assert(outcome(input, size) == whole, "pieces make a difference")
    end
end

return target
