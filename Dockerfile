# Two stages: the first has tools, the second has only what runs.
FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/vouchers
WORKDIR /src
# The lock alone first, so that a change of ours does not fetch the world again.
COPY requirements-runtime.lock .
RUN /opt/vouchers/bin/pip install --require-hashes --only-binary :all: -r requirements-runtime.lock
COPY pyproject.toml README.md LICENSE ./
COPY config config
COPY schemas schemas
COPY vouchers vouchers
COPY workers workers
# The packages themselves are copied, not built: nothing is fetched that has no hash.
RUN site=$(/opt/vouchers/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))") \
 && cp -r config schemas vouchers workers "$site/" \
 && printf '#!/opt/vouchers/bin/python\nfrom vouchers.cli import main\nmain()\n' > /opt/vouchers/bin/vouchers \
 && chmod 755 /opt/vouchers/bin/vouchers \
 && /opt/vouchers/bin/python -m compileall -q "$site/config" "$site/schemas" "$site/vouchers" "$site/workers"

FROM python:3.13-slim
ENV PATH=/opt/vouchers/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    VOUCHERS_VAR=/var/lib/vouchers VOUCHERS_LOG=json \
    VOUCHERS_KEYS=/var/lib/vouchers/keys/keys.json
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin vouchers \
 && install -d -o vouchers -g vouchers -m 700 /var/lib/vouchers /var/lib/vouchers/keys
COPY --from=build /opt/vouchers /opt/vouchers
USER 10001
WORKDIR /var/lib/vouchers
EXPOSE 8400
ENTRYPOINT ["vouchers"]
CMD ["--help"]
