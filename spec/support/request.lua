-- request.lua: requests without a connection, for specs of what handles them.
local request = require "quoll.http.request"

local Fake = {}

function Fake:header(name)
    return self.sent[name:lower()]
end

function Fake:header_values(name)
    return { self.sent[name:lower()] }
end

-- The body in pieces of `piece` bytes, all at once else.
function Fake:chunks()
    local at, size = 1, self.piece or math.max(#self.content, 1)
    return function()
        local data = self.content:sub(at, at + size - 1)
        at = at + size
        return data ~= "" and data or nil
    end
end

function Fake:body(max)
    if #self.content > (max or 2 ^ 20) then
        return nil, "body too large", "EMSGSIZE"
    end
    return self.content
end

local meta = {
    __index = function(self, name)
        local lazy = request.lazy[name]
        return lazy and lazy(self) or Fake[name] or request.methods[name]
    end,
}

-- A request: fields of `req`, `sent` its headers (names in lower case),
-- `content` its body.
return function(fields)
    local target = fields.target or "/"
    local path, querystring = target:match "^([^?]*)%??(.*)$"
    local req = { method = "GET", target = target, path = path,
        querystring = querystring, version = "1.1", sent = {}, params = {},
        peer = "192.0.2.1", host = "example.org", content = "" }
    for name, value in pairs(fields) do
        req[name] = value
    end
    return setmetatable(req, meta)
end
