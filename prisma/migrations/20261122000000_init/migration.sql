-- CreateEnum
CREATE TYPE "run_status" AS ENUM ('running', 'finished', 'failed');

-- CreateEnum
CREATE TYPE "token_kind" AS ENUM ('join', 'client', 'operator');

-- CreateTable
CREATE TABLE "run" (
    "id" UUID NOT NULL,
    "number" SERIAL NOT NULL,
    "settings" JSON NOT NULL,
    "status" "run_status" NOT NULL DEFAULT 'running',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seq" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "run_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "journal_event" (
    "run_id" UUID NOT NULL,
    "seq" INTEGER NOT NULL,
    "event" JSON NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "journal_event_pkey" PRIMARY KEY ("run_id","seq")
);

-- CreateTable
CREATE TABLE "model" (
    "run_id" UUID NOT NULL,
    "round" INTEGER NOT NULL,
    "blob" CHAR(64) NOT NULL,
    "report" JSON NOT NULL,

    CONSTRAINT "model_pkey" PRIMARY KEY ("run_id","round")
);

-- CreateTable
CREATE TABLE "token" (
    "id" UUID NOT NULL,
    "kind" "token_kind" NOT NULL,
    "client_id" TEXT,
    "label" TEXT NOT NULL,
    "secret_hash" CHAR(64) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "token_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "client" (
    "id" TEXT NOT NULL,
    "token_id" UUID NOT NULL,
    "version" TEXT NOT NULL,
    "engine" TEXT NOT NULL,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "client_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "audit" (
    "id" BIGSERIAL NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "actor" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "details" JSON NOT NULL,

    CONSTRAINT "audit_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "run_number_key" ON "run"("number");

-- CreateIndex
CREATE UNIQUE INDEX "token_secret_hash_key" ON "token"("secret_hash");

-- CreateIndex
CREATE INDEX "client_token_id_idx" ON "client"("token_id");

-- AddForeignKey
ALTER TABLE "journal_event" ADD CONSTRAINT "journal_event_run_id_fkey" FOREIGN KEY ("run_id") REFERENCES "run"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "model" ADD CONSTRAINT "model_run_id_fkey" FOREIGN KEY ("run_id") REFERENCES "run"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "client" ADD CONSTRAINT "client_token_id_fkey" FOREIGN KEY ("token_id") REFERENCES "token"("id") ON DELETE RESTRICT ON UPDATE CASCADE;


-- What follows, Prisma's schema language cannot say.

-- CreateCheck
ALTER TABLE "token" ADD CONSTRAINT "token_client_id_check" CHECK (("kind" = 'client') = ("client_id" IS NOT NULL));

-- CreateFunction
CREATE FUNCTION "refuse_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;

-- CreateTrigger: once a statement, so that one that matches no row is refused as well
CREATE TRIGGER "audit_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "audit"
    FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();

-- CreateTrigger
CREATE TRIGGER "journal_event_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "journal_event"
    FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
