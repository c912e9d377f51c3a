--- Content types by the ending of a file's name.
-- @module quoll.http.static.types

local types = {}

local TEXT = [[
text/html html htm shtml
text/css css
text/csv csv
text/plain txt text log conf ini lua c h sh py diff patch
text/markdown md markdown
text/javascript js mjs cjs
text/calendar ics
text/vcard vcf
text/vtt vtt
text/tab-separated-values tsv
text/xml xsl
text/x-component htc
]]

local OTHERS = [[
application/json json map
application/ld+json jsonld
application/manifest+json webmanifest
application/geo+json geojson
application/xml xml
application/xhtml+xml xhtml
application/atom+xml atom
application/rss+xml rss
application/wasm wasm
application/pdf pdf
application/rtf rtf
application/epub+zip epub
application/postscript ps eps ai
application/yaml yaml yml
application/toml toml
application/sql sql
application/msword doc
application/vnd.ms-excel xls
application/vnd.ms-powerpoint ppt
application/vnd.openxmlformats-officedocument.wordprocessingml.document docx
application/vnd.openxmlformats-officedocument.spreadsheetml.sheet xlsx
application/vnd.openxmlformats-officedocument.presentationml.presentation pptx
application/vnd.oasis.opendocument.text odt
application/vnd.oasis.opendocument.spreadsheet ods
application/vnd.oasis.opendocument.presentation odp
application/vnd.apple.mpegurl m3u8
application/vnd.ms-fontobject eot
application/vnd.google-earth.kml+xml kml
application/zip zip
application/gzip gz tgz
application/x-brotli br
application/zstd zst
application/x-bzip2 bz2
application/x-xz xz
application/x-tar tar
application/x-7z-compressed 7z
application/vnd.rar rar
application/java-archive jar war
application/vnd.debian.binary-package deb
application/x-rpm rpm
application/x-x509-ca-cert der pem crt
image/avif avif
image/bmp bmp
image/gif gif
image/jpeg jpg jpeg jfif
image/jxl jxl
image/png png
image/apng apng
image/svg+xml svg
image/tiff tif tiff
image/webp webp
image/heic heic
image/x-icon ico cur
audio/aac aac
audio/flac flac
audio/midi mid midi
audio/mp4 m4a
audio/mpeg mp3
audio/ogg oga ogg opus
audio/wav wav
audio/webm weba
video/3gpp 3gp 3gpp
video/mp2t ts
video/mp4 mp4 m4v
video/mpeg mpeg mpg
video/ogg ogv
video/quicktime mov
video/webm webm
video/x-flv flv
video/x-matroska mkv
video/x-msvideo avi
font/otf otf
font/ttf ttf
font/collection ttc
font/woff woff
font/woff2 woff2
model/gltf+json gltf
model/gltf-binary glb
]]

local OTHERWISE = "application/octet-stream"

local known = {}

local function add(list, behind)
  for line in list:gmatch "[^\n]+" do
    local kind
    for word in line:gmatch "%S+" do
      if kind then
        known[word] = kind
      else
        kind = word .. behind
      end
    end
  end
end

add(TEXT, "; charset=utf-8")
add(OTHERS, "")

--- The type of a file by its name. Text is said to be UTF-8.
-- @string name a file's name or its path
-- @tparam ?table own ending in lower case -> type, asked first; its entry
-- `default` is for what nobody knows ("application/octet-stream")
-- @treturn string
function types.of(name, own)
  local ending = name:match "[^/]%.([%w_+-]+)$"
  ending = ending and ending:lower()
  return own and own[ending] or known[ending]
    or own and own.default or OTHERWISE
end

return types
