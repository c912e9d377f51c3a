-- cookie.lua: what clients send as Cookie, and servers as Set-Cookie.
local cookies = require "quoll.http.syntax.cookies"
local jar = require "quoll.http.client.jar"

local target = {
    words = { "=", ";", "; ", "a=b", "\"", "Path=/", "Domain=a.example",
        "Max-Age=0", "Max-Age=-1", "Expires=Sun, 06 Nov 1994 08:49:37 GMT",
        "Secure", "HttpOnly", "__Host-", "  ", "\t", ",", "1994" },
}

local function parts_of(header)
    for name, value in pairs(cookies.parse(header)) do
        assert(name ~= "" and not name:find "[%s=;]", "a name that is none")
        assert(not value:find ";", "a value that is none")
        assert(header:find(name, 1, true) and header:find(value, 1, true))
    end
end

-- What is kept goes back to whom it came from, as a field that splits nothing.
local function kept(header)
    if header:find "[%z\1-\8\10-\31\127]" then
        return -- no field's value
    end
    local store = jar.jar()
    store:set("https://www.a.example/b/c", header)
    local back = store:get "https://www.a.example/b/c"
    assert(not back or not back:find "[%c]" or back:find "\t", "control")
    assert(not store:get "https://b.example/", "sent to another host")
end

function target.try(input)
    parts_of(input)
    kept(input)
end

return target
