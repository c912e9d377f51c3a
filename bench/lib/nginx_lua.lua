-- nginx with its Lua module, which bench/http/peers/fetch has unpacked: the
-- answers that bench/http/*.lua give.
local nginx = require "bench.lib.nginx"
local routes = require "bench.http.routes"

local nginx_lua = {}

local MAIN = "load_module $lua/usr/lib/nginx/modules/ndk_http_module.so;"
    .. " load_module $lua/usr/lib/nginx/modules/ngx_http_lua_module.so;"
local PATHS = 'lua_package_path "$lua/usr/share/lua/5.1/?.lua;;";'
    .. ' default_type "text/plain; charset=utf-8";'
    .. ' init_by_lua_block { cjson = require "cjson" }'

local HELLO = [[
location = /hello { content_by_lua_block {
    ngx.header["Content-Length"] = 13
    ngx.print("Hello, world!")
} }
location = /json { content_by_lua_block {
    ngx.req.read_body()
    local text = cjson.encode(cjson.decode(ngx.req.get_body_data()))
    ngx.header["Content-Type"] = "application/json"
    ngx.header["Content-Length"] = #text
    ngx.print(text)
} }
]]
local ROUTE = [[
location $match { content_by_lua_block {
    local var = ngx.var
    local text = "route $i " .. (var[1] or "") .. " " .. (var[2] or "") .. " "
        .. var.http_x_request_id
    ngx.header["Content-Length"] = #text
    ngx.print(text)
} }
]]

-- nginx's own router: exact paths, and expressions for those with parameters.
local function locations()
    local list = { HELLO }
    for i, route in ipairs(routes) do
        local pattern, n = route[1]:gsub(":%w+", "([^/]+)")
        local match = n == 0 and "= " .. pattern or "~ ^" .. pattern .. "$"
        table.insert(list, (ROUTE:gsub("%$(%l+)", { match = match, i = i })))
    end
    return table.concat(list)
end

-- folder: what has been fetched. The process and its port; nil and why.
function nginx_lua.start(bench, folder)
    local lua = folder .. "/lua"
    return nginx.start(bench, bench:folder(), (PATHS:gsub("%$lua", lua)), {
        main = MAIN:gsub("%$lua", lua),
        server = locations(),
        libraries = lua .. "/usr/lib/x86_64-linux-gnu",
    })
end

return nginx_lua
